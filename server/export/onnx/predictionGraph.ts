/** @file The inference graph of a model as an ONNX graph of standard operators, whose weights are inputs. */
import { UnsupportedKernel } from '../../compiler/import/kernel.ts';
import { topologicalOrder, type Graph } from '../../compiler/ir.ts';
import { lowerGraph } from '../../compiler/lower/lowerGraph.ts';
import { optimize, type PassName } from '../../compiler/optimize.ts';
import { writeTranspositionsOut } from '../../compiler/passes/plainProducts.ts';
import { portName } from '../../compiler/ports.ts';
import type { Predictor } from '../../compiler/program.ts';
import { tracePrediction } from '../../compiler/trace/traceProgram.ts';
import type { OnnxGraph } from '../../formats/onnx.ts';
import { UserError } from '../../protocol/userError.ts';
import { withDynamicBatch } from './dynamicBatch.ts';

export interface PredictionGraph {
  readonly graph: OnnxGraph;
  /** Samples of each batch; undefined where a batch may have any number. */
  readonly batchSize: number | undefined;
}

/**
 * Sizes that a model is traced for. They are primes, and unusual sizes of layers: a number of a graph that is one of them is the
 * size of the batch.
 */
const TRACED_SIZES = [97, 101, 103];

/** Passes that make a training step faster and an inference graph harder to read. */
const SKIPPED: ReadonlySet<PassName> = new Set<PassName>(['sparse-cross-entropy', 'tile-pooling']);

/**
 * The graph for batches of any size, or for one size: that which the model fixes, else 1.
 * @throws UserError that names the operation and the layer which cannot be written
 */
export async function predictionGraph(predictor: Predictor, fixedSize: number | undefined): Promise<PredictionGraph> {
  if (fixedSize !== undefined) return { graph: await predictionGraphOf(predictor, fixedSize), batchSize: fixedSize };
  const traced = [];
  for (const size of TRACED_SIZES) traced.push({ size, graph: await predictionGraphOf(predictor, size) });
  const graph = withDynamicBatch(traced);
  if (graph) return { graph, batchSize: undefined };
  return { graph: await predictionGraphOf(predictor, 1), batchSize: 1 };
}

/** The graph for batches of one size. @throws UserError as {@link predictionGraph} */
export async function predictionGraphOf(predictor: Predictor, batchSize: number): Promise<OnnxGraph> {
  try {
    const graph = await tracePrediction(predictor, batchSize);
    refuseUnrepeatable(graph);
    return lowerGraph(writeTranspositionsOut(await optimize(graph, SKIPPED)));
  } catch (error) {
    throw error instanceof UnsupportedKernel ? cannotBeWritten(error) : error;
  }
}

/** @throws UnsupportedKernel where a model computes something else each time */
function refuseUnrepeatable(graph: Graph): void {
  const drawing = topologicalOrder(graph).find(({ inputs }) => inputs.some(({ op }) => op === 'Random'));
  if (drawing) throw new UnsupportedKernel('random', 'a file must compute the same each time', drawing.layer);
  const update = portName.update('');
  const changed = [...graph.outputs.keys()].find((name) => name.startsWith(update));
  if (changed === undefined) return;
  const weight = changed.slice(update.length);
  throw new UnsupportedKernel('assign', `the model changes its weight ${weight} when it runs`);
}

function cannotBeWritten(error: UnsupportedKernel): UserError {
  const { kernel, layer, message } = error;
  const where = layer === undefined ? '' : ` of the layer '${layer}'`;
  return new UserError(`The operation ${kernel}${where} cannot be written as ONNX: ${message}.`, {
    remedy: 'Do without the operation, or replace the layer.',
    cause: error,
  });
}
