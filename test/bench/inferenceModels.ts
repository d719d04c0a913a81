/**
 * @file The models of the benchmarks of inference, compressed and as dense ONNX models: an LSTM step of 2 x 650 (Zaremba et al. 2014,
 * "medium", without embedding and softmax), pruned, quantized and of low rank, and LeNet-300-100 with 1 in 62 weights.
 */
import { BinaryCodesWeight } from '../../server/formats/packed/binaryCodes.ts';
import { DenseWeight } from '../../server/formats/packed/dense.ts';
import { FactorsWeight } from '../../server/formats/packed/factors.ts';
import { encodePacked, type PackedWeight } from '../../server/formats/packed/packedFile.ts';
import { SparseWeight } from '../../server/formats/packed/sparse.ts';
import type { OnnxGraph, OnnxNode } from '../../server/formats/onnx.ts';
import { Random } from '../../server/formats/random.ts';

const UNITS = 650;
const LAYERS = [1, 2];
const LENET = [784, 300, 100, 10];
/** LeNet-300-100 at 62x: 1 in 62 weights is left. */
const LENET_ZEROS = 1 - 1 / 62;

const random = new Random(1);
const numbers = (length: number, size: number) =>
  Float32Array.from({ length }, () => size * (2 * random.uniform() - 1));

/** Makes a weight of a form, [inputs, outputs]. */
type MakeWeight = (inputs: number, outputs: number) => PackedWeight;

const sparse =
  (zeros: number): MakeWeight =>
  (inputs, outputs) => {
    const values = numbers(inputs * outputs, 0.1);
    return SparseWeight.of(
      [inputs, outputs],
      values.map((value) => (random.uniform() < zeros ? 0 : value)),
    );
  };

const codes =
  (bits: number): MakeWeight =>
  (inputs, outputs) => {
    const view = { outer: inputs, rows: outputs, inner: 1 };
    const scales = numbers(outputs * bits, 0.05);
    const keys = Uint8Array.from({ length: inputs * outputs }, () => Math.floor(2 ** bits * random.uniform()));
    return BinaryCodesWeight.of([inputs, outputs], view, bits, scales, keys);
  };

const factors =
  (rank: number): MakeWeight =>
  (inputs, outputs) => {
    const view = { outer: 1, rows: inputs, inner: outputs };
    const [left, right] = [numbers(inputs * rank, 0.1), numbers(rank * outputs, 0.1)];
    return new FactorsWeight([inputs, outputs], view, rank, { left, right });
  };

/** A compressed model, and all that its rivals need of it. */
export interface Work {
  readonly name: string;
  /** How many times as fast as its rivals it is to be. */
  readonly target: number;
  readonly topology: object;
  readonly weights: ReadonlyMap<string, PackedWeight>;
  /** Dense ONNX models of the same weights: the ways in which ONNX Runtime can compute them. */
  readonly graphs: Readonly<Record<string, OnnxGraph>>;
  /** Name of the output of these that is the last layer's. */
  readonly result: string;
  readonly x: Float32Array;
  readonly isSequence: boolean;
}

const dense = (weights: ReadonlyMap<string, PackedWeight>, name: string) => {
  const weight = weights.get(name);
  if (!weight) throw new Error(`There is no ${name}.`);
  return { type: 'float32', shape: weight.shape, data: weight.rebuild() } as const;
};
const port = (name: string, shape: number[]) => ({ name, type: 'float32', shape }) as const;

function lstm(name: string, target: number, make: MakeWeight): Work {
  const weights = new Map(
    LAYERS.flatMap((layer): [string, PackedWeight][] => [
      [`lstm${layer}/kernel`, make(UNITS, 4 * UNITS)],
      [`lstm${layer}/recurrent_kernel`, make(UNITS, 4 * UNITS)],
      [`lstm${layer}/bias`, new DenseWeight([4 * UNITS], numbers(4 * UNITS, 0.1))],
    ]),
  );
  const layers = LAYERS.map((layer) => ({
    class_name: 'LSTM',
    config: {
      ...{ name: `lstm${layer}`, units: UNITS, return_sequences: true, recurrent_activation: 'sigmoid' },
      batch_input_shape: [null, null, UNITS],
    },
  }));
  return {
    ...{ name, target },
    topology: { class_name: 'Sequential', config: { name: 'lstm', layers } },
    weights,
    graphs: {
      'MatMul, MatMul': lstmProducts(weights, false),
      'Gemm of both': lstmProducts(weights, true),
      LSTM: lstmOperators(weights),
    },
    result: 'newH2',
    x: numbers(UNITS, 1),
    isSequence: true,
  };
}

/** A step in products and elementwise operators; with `isJoined` one product for input and state. */
function lstmProducts(weights: ReadonlyMap<string, PackedWeight>, isJoined: boolean): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const initializers: ({ name: string } & ReturnType<typeof dense>)[] = [];
  let x = 'x';
  for (const n of LAYERS) {
    const [w, u, b] = ['kernel', 'recurrent_kernel', 'bias'].map((name) => dense(weights, `lstm${n}/${name}`));
    initializers.push({ name: `b${n}`, ...b });
    if (isJoined) {
      const data = new Float32Array(w.data.length + u.data.length);
      data.set(w.data);
      data.set(u.data, w.data.length);
      initializers.push({ name: `w${n}`, type: 'float32', shape: [2 * UNITS, 4 * UNITS], data });
      nodes.push(
        { op: 'Concat', inputs: [x, `h${n}`], outputs: [`xh${n}`], attributes: { axis: { int: 1 } } },
        { op: 'Gemm', inputs: [`xh${n}`, `w${n}`, `b${n}`], outputs: [`z${n}`] },
      );
    } else {
      initializers.push({ name: `w${n}`, ...w }, { name: `u${n}`, ...u });
      nodes.push(
        { op: 'MatMul', inputs: [x, `w${n}`], outputs: [`xw${n}`] },
        { op: 'MatMul', inputs: [`h${n}`, `u${n}`], outputs: [`hu${n}`] },
        { op: 'Add', inputs: [`xw${n}`, `hu${n}`], outputs: [`s${n}`] },
        { op: 'Add', inputs: [`s${n}`, `b${n}`], outputs: [`z${n}`] },
      );
    }
    const node = (op: string, inputs: string[], output: string) =>
      nodes.push({ op, inputs: inputs.map((name) => name + n), outputs: [output + n] });
    nodes.push({
      ...{ op: 'Split', inputs: [`z${n}`], outputs: ['i', 'f', 'g', 'o'].map((name) => name + n) },
      attributes: { axis: { int: 1 } },
    });
    for (const gate of ['i', 'f', 'o']) node('Sigmoid', [gate], `${gate}s`);
    node('Tanh', ['g'], 'gt');
    node('Mul', ['fs', 'c'], 'fc');
    node('Mul', ['is', 'gt'], 'ig');
    node('Add', ['fc', 'ig'], 'newC');
    node('Tanh', ['newC'], 'ct');
    node('Mul', ['os', 'ct'], 'newH');
    x = `newH${n}`;
  }
  const ports = (...names: string[]) => LAYERS.flatMap((n) => names.map((name) => port(name + n, [1, UNITS])));
  return { inputs: [port('x', [1, UNITS]), ...ports('h', 'c')], outputs: ports('newH', 'newC'), initializers, nodes };
}

/** A step by the LSTM operator, whose gates stand in the order i, o, f, g. */
function lstmOperators(weights: ReadonlyMap<string, PackedWeight>): OnnxGraph {
  const shape = [1, 1, UNITS];
  const order = [0, 3, 1, 2];
  /** [inputs, 4 units] becomes [1, 4 units, inputs]. */
  const turned = ({ data, shape: [inputs] }: ReturnType<typeof dense>) => {
    const result = new Float32Array(data.length);
    for (let row = 0; row < 4 * UNITS; row++) {
      const column = order[Math.floor(row / UNITS)] * UNITS + (row % UNITS);
      for (let i = 0; i < inputs; i++) result[row * inputs + i] = data[i * 4 * UNITS + column];
    }
    return { type: 'float32', shape: [1, 4 * UNITS, inputs], data: result } as const;
  };
  const nodes = LAYERS.flatMap((n): OnnxNode[] => [
    {
      ...{ op: 'LSTM', inputs: [n === 1 ? 'x' : `x${n - 1}`, `w${n}`, `u${n}`, `b${n}`, '', `h${n}`, `c${n}`] },
      ...{ outputs: [`y${n}`, `newH${n}`, `newC${n}`], attributes: { hidden_size: { int: UNITS } } },
    },
    { op: 'Squeeze', inputs: [`y${n}`, 'direction'], outputs: [`x${n}`] },
  ]);
  const initializers = LAYERS.flatMap((n) => {
    const bias = new Float32Array(8 * UNITS);
    const { data } = dense(weights, `lstm${n}/bias`);
    order.forEach((from, to) => bias.set(data.subarray(from * UNITS, (from + 1) * UNITS), to * UNITS));
    return [
      { name: `w${n}`, ...turned(dense(weights, `lstm${n}/kernel`)) },
      { name: `u${n}`, ...turned(dense(weights, `lstm${n}/recurrent_kernel`)) },
      { name: `b${n}`, type: 'float32', shape: [1, 8 * UNITS], data: bias } as const,
    ];
  });
  const ports = (...names: string[]) => LAYERS.flatMap((n) => names.map((name) => port(name + n, shape)));
  return {
    inputs: [port('x', shape), ...ports('h', 'c')],
    outputs: ports('newH', 'newC'),
    initializers: [...initializers, { name: 'direction', type: 'int64', shape: [1], data: BigInt64Array.of(1n) }],
    nodes,
  };
}

function lenet(name: string, target: number, make: MakeWeight): Work {
  const sizes = LENET.slice(1);
  const weights = new Map(
    sizes.flatMap((units, i): [string, PackedWeight][] => [
      [`fc${i + 1}/kernel`, make(LENET[i], units)],
      [`fc${i + 1}/bias`, new DenseWeight([units], numbers(units, 0.1))],
    ]),
  );
  const isLast = (i: number) => i === sizes.length - 1;
  const layers = sizes.map((units, i) => ({
    class_name: 'Dense',
    config: {
      name: `fc${i + 1}`,
      units,
      activation: isLast(i) ? 'linear' : 'relu',
      batch_input_shape: [null, LENET[i]],
    },
  }));
  const nodes = sizes.flatMap((_, i): OnnxNode[] => [
    {
      op: 'Gemm',
      inputs: [i === 0 ? 'x' : `a${i}`, `fc${i + 1}/kernel`, `fc${i + 1}/bias`],
      outputs: [isLast(i) ? 'y' : `z${i + 1}`],
    },
    ...(isLast(i) ? [] : [{ op: 'Relu', inputs: [`z${i + 1}`], outputs: [`a${i + 1}`] }]),
  ]);
  const initializers = [...weights.keys()].map((name) => ({ name, ...dense(weights, name) }));
  return {
    ...{ name, target },
    topology: { class_name: 'Sequential', config: { name: 'lenet', layers } },
    weights,
    graphs: { Gemm: { inputs: [port('x', [1, LENET[0]])], outputs: [port('y', [1, 10])], initializers, nodes } },
    result: 'y',
    x: numbers(LENET[0], 1),
    isSequence: false,
  };
}

/** The work as a packed file with its topology. */
export function fileOf({ topology, weights }: Work): Uint8Array {
  return encodePacked(weights, { model: JSON.stringify(topology) });
}

/** Bytes of all tensors in the packed file. */
export function packedBytes({ weights }: Work): number {
  return [...weights.values()].flatMap(({ sections }) => sections).reduce((sum, { length }) => sum + length, 0);
}

/** The compressed models of the benchmark, of random weights. */
export function inferenceWorks(): Work[] {
  return [
    lstm('LSTM step 2x650, 90% zeros', 3, sparse(0.9)),
    lstm('LSTM step 2x650, 95% zeros', 5, sparse(0.95)),
    lstm('LSTM step 2x650, 2-bit codes', 2.5, codes(2)),
    lstm('LSTM step 2x650, rank 64', 4, factors(64)),
    lenet('LeNet-300-100 at 62x', 4, sparse(LENET_ZEROS)),
  ];
}

/** @throws Error when two outputs of the same input differ by more than `tolerance` times the largest */
export function checkAgreement(
  ours: ArrayLike<number>,
  theirs: ArrayLike<number>,
  name: string,
  tolerance: number,
): void {
  let [largest, difference] = [0, 0];
  // The difference becomes NaN, and stays so, where one has fewer outputs.
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    largest = Math.max(largest, Math.abs(theirs[i]));
    difference = Math.max(difference, Math.abs(theirs[i] - ours[i]));
  }
  if (!(difference <= tolerance * largest))
    throw new Error(`${name}: the outputs differ by ${difference} of ${largest}.`);
}

/** The dense weights one after the other, in float32, and their names and shapes. */
export function denseWeights({ weights }: Work) {
  const specs = [...weights].map(([name, { shape }]) => ({ name, shape: [...shape], dtype: 'float32' as const }));
  return { specs, bytes: Buffer.concat(specs.map(({ name }) => bytesOf(dense(weights, name).data))) };
}

export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
