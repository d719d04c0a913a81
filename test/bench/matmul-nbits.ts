/**
 * @file A product with a weight of one-bit codes: as floats, decoded when it is loaded, and by ONNX Runtime's MatMulNBits, which says
 * plus and minus a scale as the codes next to the middle one. Beside each: bytes of the file, and the largest error.
 */
import { WeightDecoder } from '../../server/export/onnx/weightDecoder.ts';
import type { OnnxGraph, OnnxNode } from '../../server/formats/onnx.ts';
import { ort } from '../../server/formats/onnxRuntime.ts';
import { BinaryCodesWeight } from '../../server/formats/packed/binaryCodes.ts';
import { Random } from '../../server/formats/random.ts';
import { type Benchmark, type Comparison } from './bench.ts';
import { timeInTurns } from './interleaved.ts';

const INPUTS = 650;
const OUTPUTS = 2600;
const BLOCK = 128;
const ROUNDS = 60;

const benchmark: Benchmark = {
  options: {},
  async run() {
    const random = new Random(1);
    const scales = Float32Array.from({ length: OUTPUTS }, () => 0.1 + random.uniform());
    const codes = Uint8Array.from({ length: INPUTS * OUTPUTS }, () => random.below(2)); // [outputs, inputs]
    const view = { outer: INPUTS, rows: OUTPUTS, inner: 1 };
    const weight = BinaryCodesWeight.of([INPUTS, OUTPUTS], view, 1, scales, codes);
    const dense = weight.rebuild();
    const x = Float32Array.from({ length: INPUTS }, () => random.uniform() - 0.5);
    const exact = Array.from({ length: OUTPUTS }, (_, column) =>
      x.reduce((sum, value, row) => sum + value * dense[row * OUTPUTS + column], 0),
    );
    const decoder = new WeightDecoder();
    decoder.add('w', weight);
    const product: OnnxNode = { op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] };
    const models: Record<string, OnnxGraph> = {
      floats: graphOf([{ name: 'w', type: 'float32', shape: [INPUTS, OUTPUTS], data: dense }], [product]),
      'self-decoding': graphOf(decoder.initializers, [...decoder.nodes, product]),
    };
    for (const bits of [1, 2, 4])
      for (const level of [1, 4]) models[`${bits} bits, accuracy_level ${level}`] = nBits(bits, level, scales, codes);
    const feeds = { x: new ort.Tensor('float32', x, [1, INPUTS]) };
    const results: Comparison[] = [];
    for (const [name, graph] of Object.entries(models)) {
      try {
        const timed = await timeInTurns({ floats: models.floats, [name]: graph }, feeds, ROUNDS);
        const { bytes, milliseconds, outputs } = timed.get(name)!;
        const actual = outputs.y.data;
        const error = exact.reduce((most, value, i) => Math.max(most, Math.abs(Number(actual[i]) - value)), 0);
        console.log(
          `  ${name}: ${bytes} bytes, largest error ${error.toExponential(0)}, ${milliseconds.toFixed(3)} ms`,
        );
        const theirs = timed.get('floats')!.milliseconds;
        const ratio = theirs / milliseconds;
        results.push({
          case: name,
          rival: 'floats',
          threads: 1,
          ours: milliseconds,
          theirs,
          unit: 'ms',
          ratio,
          target: 1,
        });
      } catch (error) {
        console.log(`  ${name}: ${error instanceof Error ? String(error.cause ?? error) : String(error)}`);
      }
    }
    return results;
  },
};

export default benchmark;

function graphOf(initializers: OnnxGraph['initializers'], nodes: OnnxGraph['nodes']): OnnxGraph {
  return {
    inputs: [{ name: 'x', type: 'float32', shape: [1, INPUTS] }],
    outputs: [{ name: 'y', type: 'float32', shape: [1, OUTPUTS] }],
    initializers,
    nodes,
  };
}

/** @param codes [outputs, inputs]: 1 for plus the scale of the output, 0 for minus */
function nBits(bits: number, level: number, scales: Float32Array, codes: Uint8Array): OnnxGraph {
  const blocks = Math.ceil(INPUTS / BLOCK);
  const bytes = (BLOCK * bits) / 8;
  const zero = 2 ** (bits - 1);
  const packed = new Uint8Array(OUTPUTS * blocks * bytes);
  for (let column = 0; column < OUTPUTS; column++) {
    for (let row = 0; row < blocks * BLOCK; row++) {
      const isPlus = codes[column * INPUTS + row] === 1;
      const code = row >= INPUTS ? zero : isPlus ? zero + 1 : zero - 1;
      packed[column * blocks * bytes + ((row * bits) >> 3)] |= code << ((row * bits) & 7);
    }
  }
  const blockScales = Float32Array.from({ length: OUTPUTS * blocks }, (_, i) => scales[Math.floor(i / blocks)]);
  return graphOf(
    [
      { name: 'codes', type: 'uint8', shape: [OUTPUTS, blocks, bytes], data: packed },
      { name: 'scales', type: 'float32', shape: [OUTPUTS * blocks], data: blockScales },
    ],
    [
      {
        op: 'MatMulNBits',
        domain: 'com.microsoft',
        inputs: ['x', 'codes', 'scales'],
        outputs: ['y'],
        attributes: {
          K: { int: INPUTS },
          N: { int: OUTPUTS },
          bits: { int: bits },
          block_size: { int: BLOCK },
          accuracy_level: { int: level },
        },
      },
    ],
  );
}
