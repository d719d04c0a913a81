/** @file The inference graph of a model as an ONNX graph of standard operators, whose weights are inputs. */
import { UnsupportedKernel } from '../../compiler/import/kernel.ts';
import { topologicalOrder, type Graph } from '../../compiler/ir.ts';
import { lowerGraph } from '../../compiler/lower/lowerGraph.ts';
import { optimize, passes, type PassName } from '../../compiler/optimize.ts';
import { writeTranspositionsOut } from '../../compiler/passes/plainProducts.ts';
import { portName } from '../../compiler/ports.ts';
import type { Predictor } from '../../compiler/program.ts';
import { tracePrediction } from '../../compiler/trace/traceProgram.ts';
import type { OnnxGraph } from '../../formats/onnx.ts';
import { UserError } from '../../protocol/userError.ts';
import { sizesToTrace, withDynamicSizes, type DynamicAxis, type SizedGraph } from './dynamicSizes.ts';

export interface PredictionGraph {
  readonly graph: OnnxGraph;
  /** Samples of each batch; undefined where a batch may have any number. */
  readonly batchSize: number | undefined;
}

/**
 * Sizes that a model is traced for. They are primes, and unusual sizes of layers: a number of a graph that is one of them is the
 * size of the batch, or the number of time steps.
 */
const TRACED_SIZES = { batch: [97, 101, 103], sequence: [53, 59, 61] } as const;

const ALL: ReadonlySet<PassName> = new Set(Object.keys(passes) as PassName[]);

/** Passes that make a training step faster and an inference graph harder to read. */
const SKIPPED: ReadonlySet<PassName> = new Set<PassName>(['sparse-cross-entropy', 'tile-pooling', 'dot-products']);

/**
 * The graph for batches of any size, or for one size: that which the model fixes, else 1. Standard recurrent layers are operators,
 * and where all that the model does with its sequences allows it, these may have any length.
 * @param stepwise names of recurrent kernels whose layers are written step by step all the same
 * @throws UserError that names the operation and the layer which cannot be written
 */
export async function predictionGraph(
  predictor: Predictor,
  fixedSize: number | undefined,
  stepwise: ReadonlySet<string> = new Set(),
): Promise<PredictionGraph> {
  const trace = (inputs: Predictor['inputs'], batch: number) =>
    inferenceGraph({ ...predictor, inputs }, batch, (kernel) => !stepwise.has(kernel));
  const asGiven = await trace(predictor.inputs, fixedSize ?? 1);
  const lengths = recurrentLengths(asGiven);
  const traceSizes: SizedTrace = async ({ batch = fixedSize ?? 1, sequence }) => {
    const inputs = predictor.inputs.map(({ dtype, shape }) => ({
      dtype,
      shape: shape.map((size, axis) => (axis === 0 && lengths.has(size) ? (sequence ?? size) : size)),
    }));
    return lowerGraph(await trace(inputs, batch));
  };
  const batch: DynamicAxis[] = fixedSize === undefined ? ['batch'] : [];
  if (lengths.size > 0) {
    // The model may refuse other lengths by an error of any kind.
    const graph = await dynamicGraph([...batch, 'sequence'], traceSizes).catch(() => undefined);
    if (graph) return { graph, batchSize: fixedSize };
  }
  const graph = fixedSize === undefined ? await dynamicGraph(batch, traceSizes) : undefined;
  return graph ? { graph, batchSize: undefined } : { graph: lowerGraph(asGiven), batchSize: fixedSize ?? 1 };
}

type SizedTrace = (sizes: SizedGraph['sizes']) => Promise<OnnxGraph>;

/** The graph with dynamic axes, undefined where the model does not allow it. */
async function dynamicGraph(axes: readonly DynamicAxis[], traceSizes: SizedTrace): Promise<OnnxGraph | undefined> {
  const traced = [];
  for (const sizes of sizesToTrace(new Map(axes.map((axis) => [axis, TRACED_SIZES[axis]]))))
    traced.push({ sizes, graph: await traceSizes(sizes) });
  return withDynamicSizes(axes, traced);
}

/** Numbers of time steps that recurrent operators of the graph take. */
function recurrentLengths(graph: Graph): Set<number> {
  return new Set(
    topologicalOrder(graph).flatMap(({ op, inputs }) => (op === 'Recurrent' ? inputs[0].type.shape[0] : [])),
  );
}

/**
 * The graph for batches of one size as traced: what a file is held to shares no pass with it. Recurrent layers are step by step.
 * @throws UserError as {@link predictionGraph}
 */
export async function referenceGraph(predictor: Predictor, batchSize: number): Promise<OnnxGraph> {
  return lowerGraph(await inferenceGraph(predictor, batchSize, () => false, ALL));
}

async function inferenceGraph(
  predictor: Predictor,
  batchSize: number,
  keepsWhole: (recurrentKernel: string) => boolean,
  skipped = SKIPPED,
): Promise<Graph> {
  try {
    const graph = await tracePrediction(predictor, batchSize, keepsWhole);
    refuseUnrepeatable(graph);
    return writeTranspositionsOut(await optimize(graph, skipped));
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
    remedy: 'Do without the operation, replace the layer, or export the weights alone: --format safetensors.',
    cause: error,
  });
}
