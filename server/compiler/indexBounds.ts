/**
 * @file Finds indices that a table has no row for. ONNX Runtime counts negative ones from the back, in silence, and its error for one
 * beyond the end names neither layer nor data; TensorFlow.js's names the index alone.
 */
import { UserError } from '../protocol/userError.ts';
import { topologicalOrder, type Graph, type Node } from './ir.ts';
import { portName } from './ports.ts';
import type { StepBatch } from './program.ts';
import type { Buffer } from './session.ts';

/** Indices that a step computes or is given, and what they are to be below. */
export interface WatchedIndices {
  readonly port: string;
  readonly rows: number;
  readonly layer: string | undefined;
}

/** The number of rows that an operation's indices must be below; undefined for one that has none, or takes any. */
function rowsOf({ op, params, inputs: [table] }: Node): number | undefined {
  if (op === 'Gather') return table.type.shape[params.axis];
  return op === 'SegmentSum' && params.checked ? params.rows : undefined;
}

/**
 * The graph with the indices of all its lookups, and of sums that must have a row for each, as outputs.
 * @throws UserError for a constant index that its table has no row for
 */
export function watchIndices(graph: Graph): { graph: Graph; watched: readonly WatchedIndices[] } {
  const outputs = new Map<string, Node>(graph.outputs);
  const watched: WatchedIndices[] = [];
  for (const node of topologicalOrder(graph)) {
    const rows = rowsOf(node);
    const indices = node.inputs.at(1);
    if (rows === undefined || indices === undefined) continue;
    if (indices.op === 'Constant') {
      refuseOutside(indices.params.values, rows, node.layer);
      continue;
    }
    const port = portName.indices(watched.length);
    outputs.set(port, indices);
    watched.push({ port, rows, layer: node.layer });
  }
  return { graph: { outputs }, watched };
}

/**
 * @param batch that the indices were computed of; without it they are of constants alone
 * @throws UserError for the first index that its table has no row for
 */
export function checkIndices(
  watched: readonly WatchedIndices[],
  buffers: ReadonlyMap<string, Buffer>,
  batch?: StepBatch,
): void {
  for (const { port, rows, layer } of watched) refuseOutside(buffers.get(port) as Int32Array, rows, layer, batch);
}

function refuseOutside(indices: Iterable<number>, rows: number, layer: string | undefined, batch?: StepBatch): void {
  for (const index of indices) if (index < 0 || index >= rows) throw indexError(index, rows, layer, batch);
}

/** What TensorFlow.js says of an index: its own backends, and that of TensorFlow. */
const messages = [/the index value (-?\d+) is not in \[0, (\d+)\]/, /indices\S* = (-?\d+) is not in \[0, (\d+)\)/];

/** The error that TensorFlow.js's message stands for; undefined when it is about something else. */
export function indexErrorOf(message: string, layer: string | undefined, batch: StepBatch): UserError | undefined {
  const [inclusive, exclusive] = messages.map((pattern) => pattern.exec(message));
  const found = inclusive ?? exclusive;
  return found ? indexError(Number(found[1]), Number(found[2]) + (inclusive ? 1 : 0), layer, batch) : undefined;
}

function indexError(index: number, rows: number, layer: string | undefined, batch?: StepBatch): UserError {
  const who = layer === undefined ? 'The model' : `The layer '${layer}'`;
  const where = batch === undefined ? '' : whereIn(batch, index);
  return new UserError(`${who} looks up the index ${index}${where}; its table has ${rows} rows, 0 to ${rows - 1}.`, {
    remedy:
      batch === undefined
        ? 'Correct the operations that compute the index: it depends on no data. Or give the table more rows.'
        : 'Correct the data (an index for padding is one of the rows, usually 0), or give the table more rows (inputDim of ' +
          'an embedding).',
  });
}

/** The sample that an index comes from, where an input has it as it is. */
function whereIn({ inputs, size }: StepBatch, index: number): string {
  for (const [number, values] of inputs.entries()) {
    const place = values.findIndex((value) => Math.trunc(value) === index);
    if (place < 0) continue;
    const sample = Math.floor(place / (values.length / size)) + 1;
    const which = inputs.length === 1 ? '' : `, input ${number + 1}`;
    return ` (sample ${sample} of the batch${which})`;
  }
  return '';
}
