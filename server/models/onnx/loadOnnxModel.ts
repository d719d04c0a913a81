/** @file A model that another program exported as ONNX, as a model of layers with one layer, which can be trained. */
import * as tf from '@tensorflow/tfjs';
import { input as placeholder, parameter } from '../../compiler/build.ts';
import { UnsupportedKernel } from '../../compiler/import/kernel.ts';
import { record } from '../../compiler/trace/recordingBackend.ts';
import { readOnnxModel, type ReadOnnxModel } from '../../formats/onnxReader.ts';
import { FormatError } from '../../formats/formatError.ts';
import { fileBeside } from '../../modules/fileBeside.ts';
import { notUsable, readUserFile } from '../../modules/readUserFile.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { UserError } from '../../protocol/userError.ts';
import { channelsFirstShape } from '../imageLayout.ts';
import type { ModelSamples } from '../modelSamples.ts';
import { evaluateGraph } from './evaluate.ts';
import { OnnxGraphLayer, type OpenShape } from './graphLayer.ts';
import { modelGraphOf, type GraphInput, type ModelGraph } from './modelGraph.ts';
import { kindOfType } from './values.ts';

/** What an experiment says of the model of a file. */
export interface OnnxOptions {
  /** Sizes of the dimensions that have names in the file. */
  readonly dimensions?: Readonly<Record<string, number>> | undefined;
  /** True where batch normalization takes its running statistics in training, too. */
  readonly frozenStatistics?: boolean | undefined;
  /** Default: the dimensions must be given. */
  readonly samples?: ModelSamples | undefined;
}

export interface LoadedOnnxModel {
  readonly model: tf.LayersModel;
  readonly files: string[];
  readonly warnings: string[];
}

const REMEDY = 'Export the model again, or copy the file again.';

/**
 * @param path absolute path of the file
 * @throws UserError for a file that is damaged or has operators that are not known, SettingError for dimensions that are not given
 */
export async function loadOnnxModel(path: string, options: OnnxOptions = {}): Promise<LoadedOnnxModel> {
  const file = await readUserFile(path, readOnnxModel, REMEDY);
  const external = await externalFiles(path, file);
  const { graph, values } = readGraph(path, file, external);
  const sized = withSizes(graph, options);
  // Recording leaves the backend that was there, and there is none before the first tensor.
  if (!(tf.getBackend() as string | undefined)) await tf.setBackend('cpu');
  const { inputs, outputs, warning } = await shapesOf(sized, path).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${path}: ${error.message}`, { remedy: error.remedy, cause: error });
  });
  const layer = new OnnxGraphLayer({
    name: 'graph',
    graph,
    outputShapes: outputs,
    frozenStatistics: options.frozenStatistics ?? false,
  });
  const model = modelOfLayer(layer, inputs);
  tf.tidy(() => {
    for (const { name, shape, variable } of layer.namedWeights)
      variable.write(tf.tensor(values.get(name) ?? new Float32Array(0), [...shape]));
  });
  return {
    model,
    files: [path, ...Array.from(external.values(), ({ path: found }) => found)],
    warnings: [...(warning === undefined ? [] : [warning]), ...warningsOf(graph)],
  };
}

/** @param shapes of the inputs */
function modelOfLayer(layer: OnnxGraphLayer, shapes: readonly OpenShape[]): tf.LayersModel {
  const inputs = layer.settings.graph.inputs.map(({ name, type }, i) =>
    tf.input({ name, batchShape: [...shapes[i]], dtype: dtypeOf(type) }),
  );
  const outputs = layer.apply(inputs.length === 1 ? inputs[0] : inputs) as tf.SymbolicTensor | tf.SymbolicTensor[];
  return tf.model({ inputs, outputs });
}

/** Files with external data, by what the model calls them. */
type ExternalFiles = ReadonlyMap<string, { readonly path: string; readonly bytes: Uint8Array }>;

async function externalFiles(path: string, file: ReadOnnxModel): Promise<ExternalFiles> {
  const found = new Map<string, { path: string; bytes: Uint8Array }>();
  for (const { data } of file.initializers) {
    if (data instanceof Uint8Array || found.has(data.location)) continue;
    const { file: beside } = await fileBeside(
      path,
      data.location,
      'Keep the file of external data beside the model, or export it again.',
    );
    found.set(data.location, { path: beside, bytes: await readUserFile(beside, (bytes) => bytes, REMEDY) });
  }
  return found;
}

function readGraph(path: string, file: ReadOnnxModel, external: ExternalFiles): ReturnType<typeof modelGraphOf> {
  try {
    return modelGraphOf(file, (location) => external.get(location)?.bytes ?? new Uint8Array(0));
  } catch (error) {
    throw error instanceof FormatError ? notUsable(path, error, undefined, REMEDY) : error;
  }
}

/** The graph with a size in the place of each name, but for that of the batch. */
function withSizes(graph: ModelGraph, { dimensions = {}, samples }: OnnxOptions): ModelGraph {
  const names = new Set(graph.inputs.flatMap(({ shape }) => shape.filter((size) => typeof size === 'string')));
  const unknown = Object.keys(dimensions).find((name) => !names.has(name));
  if (unknown !== undefined)
    throw new SettingError(['model', 'inputs', unknown], 'no input of the model has a dimension of this name', {
      at: 'key',
      remedy:
        names.size === 0
          ? 'Leave it out: all its dimensions have sizes.'
          : `Its dimensions are ${[...names].join(', ')}.`,
    });
  const open: string[] = [];
  const ofInput = (name: string, index: number) =>
    samples?.inputs.find((sample) => sample.name === name) ?? samples?.inputs[index];
  const inputs = graph.inputs.map((input, i): GraphInput => {
    const ofSamples = sizesOfSamples(input, ofInput(input.name, i)?.shape);
    const shape = input.shape.map((size, axis) => {
      if (typeof size === 'number') return size;
      const given = dimensions[size] ?? (axis === 0 ? undefined : ofSamples?.[axis - 1]);
      if (given === undefined && axis > 0) open.push(`${size === '' ? `axis ${axis}` : size} of ${input.name}`);
      return given ?? size;
    });
    return { ...input, shape };
  });
  if (open.length > 0)
    throw new SettingError(['model'], `the sizes of dimensions are not known: ${open.join(', ')}`, {
      remedy:
        'Give them: "model": { "onnx": "./net.onnx", "inputs": { "NAME": 128 } }; those without a name take an export with sizes.',
    });
  return { ...graph, inputs };
}

/** Sizes of a sample on the axes behind that of the batch; images with channels last are taken with channels first. */
function sizesOfSamples({ shape }: GraphInput, sample: readonly number[] | undefined): readonly number[] | undefined {
  const wanted = shape.slice(1).map((size) => (typeof size === 'number' ? size : null));
  if (sample?.length !== wanted.length) return undefined;
  return channelsFirstShape(wanted, sample) ?? sample;
}

interface GraphShapes {
  readonly inputs: readonly OpenShape[];
  readonly outputs: readonly OpenShape[];
  readonly warning?: string;
}

/** Sizes that a graph is recorded for, to see which dimensions are that of the batch. */
const BATCHES = [2, 3] as const;

/** The shapes of inputs and outputs, for batches of any size where the graph computes them. @param path of the file, for the warning */
async function shapesOf(graph: ModelGraph, path: string): Promise<GraphShapes> {
  const fixed = graph.inputs.flatMap(({ shape: [size] }) => (typeof size === 'number' ? [size] : [])).at(0);
  const sized = (batch: number) => graph.inputs.map(({ shape }) => [batch, ...shape.slice(1).map(Number)]);
  try {
    const [two, three] = [await outputShapes(graph, sized(BATCHES[0])), await outputShapes(graph, sized(BATCHES[1]))];
    const outputs = two.map((shape, i) => openShape(shape, three[i]));
    if (outputs.every((shape) => shape !== undefined))
      return { inputs: graph.inputs.map(({ shape }) => [null, ...shape.slice(1).map(Number)]), outputs };
    if (fixed === undefined)
      throw new UserError('an output of the model does not have the samples of the batch on its first axis.', {
        remedy: 'Export the model so that the batch is the first axis of all inputs and outputs.',
      });
  } catch (error) {
    if (fixed === undefined || !(error instanceof UserError)) throw error;
  }
  return {
    inputs: sized(fixed),
    outputs: await outputShapes(graph, sized(fixed)),
    warning:
      `${path} computes batches of ${fixed} alone, since it was exported with that size in it. Export it with a dynamic batch: ` +
      'torch.onnx.export(…, dynamic_axes={"input": {0: "batch"}}, dynamo=False).',
  };
}

/** The shape with null for the batch; undefined where that is elsewhere. */
function openShape(two: readonly number[], three: readonly number[]): OpenShape | undefined {
  if (two.length !== three.length || two[0] !== BATCHES[0] || three[0] !== BATCHES[1]) return undefined;
  return two.slice(1).some((size, axis) => size !== three[axis + 1]) ? undefined : [null, ...two.slice(1)];
}

/** Shapes of the outputs for shapes of the inputs: recorded, so that nothing is computed, where the graph can be compiled. */
async function outputShapes(graph: ModelGraph, inputs: readonly (readonly number[])[]): Promise<number[][]> {
  try {
    return await record(0, (recording) =>
      shapesOfOutputs(
        graph,
        graph.inputs.map(({ name, type }, i) =>
          recording.tensor(placeholder(name, { dtype: dtypeOf(type), shape: inputs[i] })),
        ),
        new Map(graph.weights.map(({ name, shape }) => [name, recording.tensor(parameter(name, shape))])),
      ),
    );
  } catch (error) {
    if (!(error instanceof UnsupportedKernel)) throw error;
    await tf.setBackend('cpu');
    return tf.tidy(() =>
      shapesOfOutputs(
        graph,
        graph.inputs.map(({ type }, i) => tf.zeros([...inputs[i]], dtypeOf(type))),
        new Map(graph.weights.map(({ name, shape }) => [name, tf.zeros([...shape])])),
      ),
    );
  }
}

function shapesOfOutputs(
  graph: ModelGraph,
  inputs: readonly tf.Tensor[],
  weights: ReadonlyMap<string, tf.Tensor>,
): number[][] {
  const mode = { training: false, frozenStatistics: false, update: () => undefined };
  return tf.tidy(() => evaluateGraph(graph, inputs, weights, mode)).map(({ shape }) => shape);
}

/** Element type of the samples: a data set has no truth values. */
function dtypeOf(type: GraphInput['type']): 'float32' | 'int32' {
  return kindOfType(type) === 'float' ? 'float32' : 'int32';
}

/** What a user should know of the graph. */
function warningsOf({ nodes, weights }: ModelGraph): string[] {
  // Names that the two exporters of PyTorch give what they have computed of a convolution and its normalization.
  const isFolded = weights.some(({ name, op }) => op === 'Conv' && /^onnx::Conv_\d+$|\.weight_bias$/.test(name));
  const isNormalized = nodes.some(({ op }) => op === 'BatchNormalization');
  if (!isFolded || isNormalized) return [];
  return [
    'The batch normalizations of the model are part of its convolutions, as exporting for inference makes them: it trains without any. ' +
      'To keep them, export with training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False, dynamo=False.',
  ];
}
