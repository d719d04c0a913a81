/** @file ONNX as a format of exported models. */
import { encodeOnnxModel } from '../../formats/onnx.ts';
import { DenseWeight } from '../../formats/packed/dense.ts';
import { channelsFirstShape } from '../../models/imageLayout.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import type { ModelProgram } from '../../training/modelProgram.ts';
import type { ExportFormat, ExportSettings, ExportSource, WrittenModel } from '../format.ts';
import { portNames } from '../portNames.ts';
import { smallWeights } from '../smallWeights.ts';
import { importedGraph } from './importedGraph.ts';
import { OnnxFile } from './onnxFile.ts';
import { kernelsForSteps, withWeights } from './onnxModel.ts';
import { predictionGraph } from './predictionGraph.ts';

export const onnx: ExportFormat = { write, open: (path, samples) => OnnxFile.open(path, samples) };

/** @throws UserError as {@link predictionGraph}, and for settings that contradict each other */
async function write(
  source: ExportSource,
  { dense = false, sparseInitializers = false }: ExportSettings,
): Promise<WrittenModel> {
  if (dense && sparseInitializers)
    throw new UserError('Weights cannot be written both as floats and as sparse initializers.', {
      remedy: 'Leave out --dense or --sparse-initializers.',
      exitCode: ExitCode.usage,
    });
  const { prepared, origin } = source;
  const { program, parameters } = prepared;
  const weights = dense
    ? new Map(parameters.list.map(({ name, shape, value }) => [name, new DenseWeight(shape, value)]))
    : smallWeights(source);
  const imported = importedGraph(program);
  const { graph } =
    imported ?? (await predictionGraph(inLayoutOfModel(program), program.batchSize, kernelsForSteps(weights)));
  const model = withWeights(graph, weights, portNames(program), { sparseInitializers });
  return {
    content: encodeOnnxModel(
      model.graph,
      {
        ...(origin.run !== undefined && { 'deeptwist.run': origin.run }),
        'deeptwist.experiment': origin.experiment,
        ...(origin.step !== undefined && { 'deeptwist.step': String(origin.step) }),
      },
      imported?.versions,
    ),
    weights: model.weights,
    inputs: [...model.graph.inputs],
    outputs: [...model.graph.outputs],
  };
}

/** A program that takes images in the layout of its model: a file that is written anew has the layout of the one that came in. */
function inLayoutOfModel(program: ModelProgram): ModelProgram {
  const inputs = program.inputs.map(({ dtype, shape }, i) => ({
    dtype,
    shape: channelsFirstShape(program.model.inputs[i].shape.slice(1), shape) ?? shape,
  }));
  return { ...program, inputs };
}
