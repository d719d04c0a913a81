/** @file Tool: what a model consists of, and which methods can compress each of its weights. */
import { dirname } from 'node:path';
import * as z from 'zod';
import { refusedTargets } from '../../compression/methods/refused.ts';
import { storedShape, viewOfWeight } from '../../compression/targets/matrixView.ts';
import { isMatrix } from '../../compression/targets/targets.ts';
import { methodNames } from '../../protocol/experiment/methods/index.ts';
import { modelDescriptionSchema, type DescribedWeight } from '../../protocol/model/modelDescription.ts';
import { elementCount } from '../../protocol/shape.ts';
import { runForAgent } from '../commands.ts';
import { loadsModules } from '../loadsModules.ts';
import { confirmInput, defineTool, more, page, pageOf, pathInput } from '../tool.ts';

const sizes = z.array(z.int().nullable()).describe('Sizes, that of the batch first; null for one that is open.');

export const describeModel = defineTool({
  name: 'describe_model',
  title: 'Describe a model',
  description:
    'Lists the weights of a model with layer, shape, number of parameters and the methods that can compress each. "file" is an experiment, a model file (.onnx, .keras, .h5, model.json of TensorFlow.js) or a module (.ts, .js) that exports a model. A module is loaded, which the user confirms. Describing an experiment lets check_experiment check its layers, too.',
  effect: 'runs code',
  input: z.strictObject({
    file: pathInput.describe('Path of the experiment, the model file or the module.'),
    ...pageOf(50),
    ...confirmInput,
  }),
  output: z.object({
    model: z.string(),
    parameters: z.number().describe('All of them, biases included.'),
    inputs: z.array(z.object({ name: z.string(), shape: sizes, dtype: z.string() })),
    outputs: z.array(z.object({ name: z.string(), shape: sizes, activation: z.string() })),
    hasLoss: z.boolean().describe('True where the model brings its own loss; else "training.loss" names one.'),
    trainingSamples: z.int().optional(),
    weights: z.array(
      z.object({
        name: z.string().describe('Name in "compression.layers"; so is that of its layer.'),
        layer: z.string(),
        kind: z.string().optional().describe('Class of the layer, or operator of ONNX.'),
        shape: z.array(z.int()),
        parameters: z.int(),
        methods: z.array(z.string()).describe('Those that can compress it; none for biases and other vectors.'),
        breakEvenRank: z.number().optional().describe('Rank from which two factors are as large as the matrix.'),
      }),
    ),
    more,
    warnings: z.array(z.string()),
  }),
  async run({ file, limit, offset }, call) {
    const path = call.workspace.resolve(file);
    if (await loadsModules(path))
      call.confirm(`Loads and executes the modules of ${call.workspace.shown(path)} to describe its model.`);
    const report = await runForAgent(call, ['describe', path], dirname(path));
    const { model, weights, inputs = [], outputs = [], hasLoss, samples, warnings = [] } =
      modelDescriptionSchema.parse(report); // prettier-ignore
    const { part, more: left } = page(weights, { limit, offset });
    return {
      model,
      parameters: weights.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      inputs,
      outputs,
      hasLoss: hasLoss === true,
      ...(samples !== undefined && { trainingSamples: samples }),
      weights: part.map(weightOf),
      more: left,
      warnings: warnings.slice(0, 20),
    };
  },
});

function weightOf(weight: DescribedWeight) {
  const { name, layer, layerClass, shape, trainable } = weight;
  const isCompressible = trainable && isMatrix(weight);
  const view = viewOfWeight(weight);
  const stored = isCompressible ? storedShape(view) : undefined;
  return {
    name,
    layer,
    ...(layerClass !== undefined && { kind: layerClass }),
    shape,
    parameters: elementCount(shape),
    methods: isCompressible
      ? methodNames.filter((method) => refusedTargets(method, [{ weight, view, key: layer }]).length === 0)
      : [],
    ...(stored && { breakEvenRank: (stored.rows * stored.columns) / (stored.rows + stored.columns) }),
  };
}
