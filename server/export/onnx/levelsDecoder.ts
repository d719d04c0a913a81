/** @file A weight of levels in an ONNX graph: its codes in as many bits as they need, its levels, scales and offsets. */
import { codeBits, levelTable, type LevelsWeight } from '../../formats/packed/levels.ts';
import { elementCount } from '../../protocol/shape.ts';
import { BitPlanes, DOUBLE, FLOAT, INT32, type ConstantGraph } from './constantGraph.ts';

const BYTE_BITS = 8;

/** Writes the weight and what decodes it: to the same floats, to the bit. */
export function addLevels(graph: ConstantGraph, name: string, weight: LevelsWeight): void {
  const { shape, view, buckets } = weight;
  const count = elementCount(shape);
  const bucket = Math.min(buckets?.bucket ?? count, count);
  const sets = Math.ceil(count / bucket);
  const codes = addCodes(graph, name, weight, sets * bucket);
  const inBuckets = buckets
    ? scaled(graph, name, weight, { codes: graph.reshape(codes, [sets, bucket]), ...buckets })
    : graph.emit('Gather', [addTable(graph, name, weight), codes]);
  const numbers =
    sets * bucket === count ? inBuckets : graph.first(graph.reshape(inBuckets, [sets * bucket]), count, 0);
  graph.reshape(graph.inTensorOrder(numbers, view), shape, name);
}

/** The numbers, [buckets, numbers of a bucket]: computed in float64 and rounded once, as {@link LevelsWeight} does. */
function scaled(
  graph: ConstantGraph,
  name: string,
  weight: LevelsWeight,
  { codes, scales, offsets }: { codes: string; scales: Float32Array; offsets?: Float32Array | undefined },
): string {
  const { levels } = weight;
  const asDoubles = (x: string) => graph.emit('Cast', [x], { to: DOUBLE });
  const forEach = (part: string, data: Float32Array) =>
    asDoubles(graph.floats(`${name}:${part}`, [data.length, 1], data));
  const scale = forEach('scales', scales);
  const products =
    levels instanceof Float32Array
      ? graph.emit('Mul', [graph.emit('Gather', [asDoubles(addTable(graph, name, weight)), codes]), scale])
      : graph.emit('Div', [graph.emit('Mul', [asDoubles(codes), scale]), graph.double(levels.uniform - 1)]);
  const sums = offsets ? graph.emit('Add', [products, forEach('offsets', offsets)]) : products;
  return graph.emit('Cast', [sums], { to: FLOAT });
}

function addTable(graph: ConstantGraph, name: string, { levels }: LevelsWeight): string {
  const table = levelTable(levels);
  return graph.floats(`${name}:levels`, [table.length], table);
}

/** The codes as int32, in the order of the matrix, and zeros behind them up to the length. */
function addCodes(graph: ConstantGraph, name: string, weight: LevelsWeight, length: number): string {
  const width = codeBits(weight.levels);
  if (width === BYTE_BITS) {
    const bytes = new Uint8Array(length);
    weight.forEachCode((code, _, place) => (bytes[place] = code));
    return graph.emit('Cast', [graph.bytes(`${name}:codes`, [length], bytes)], { to: INT32 });
  }
  const planes = new BitPlanes(width, length);
  weight.forEachCode((code, _, place) => planes.set(place, code));
  const bits = graph.bits(graph.bytes(`${name}:codes`, [width, planes.length], planes.bytes), width, length);
  if (width === 1) return graph.reshape(bits, [length]);
  const parts = graph.emit('Mul', [bits, graph.powersOfTwo([width, 1])]);
  return graph.emit('ReduceSum', [parts, graph.integers([0])], { keepdims: { int: 0 } });
}
