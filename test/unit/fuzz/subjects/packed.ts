import * as tf from '@tensorflow/tfjs';
import { join } from 'node:path';
import { BinaryCodesWeight } from '../../../../server/formats/packed/binaryCodes.ts';
import { DenseWeight } from '../../../../server/formats/packed/dense.ts';
import { FactorsWeight } from '../../../../server/formats/packed/factors.ts';
import { FactorsCodedWeight } from '../../../../server/formats/packed/factorsCoded.ts';
import { LevelsWeight } from '../../../../server/formats/packed/levels.ts';
import { encodePacked, type PackedWeight } from '../../../../server/formats/packed/packedFile.ts';
import { SparseWeight } from '../../../../server/formats/packed/sparse.ts';
import { SparseCodedWeight } from '../../../../server/formats/packed/sparseCoded.ts';
import { elementCount } from '../../../../server/protocol/shape.ts';
import { loadWeights } from '../../../../server/training/start/loadWeights.ts';
import { bytes, json, pick, type Mutation } from '../mutations.ts';
import type { Subject } from '../subject.ts';
import { inHeader } from './safetensors.ts';

const numbers = ['', '0', '1', '2', '25', '99', '1000000000', '9007199254740993', '-1', '1e9', '0x10', '1,1000000000'];
const words = [
  'gaps',
  'rice',
  'bitmask',
  'sparse',
  'factors',
  'binary-codes',
  'huffman',
  'fixed',
  'dense',
  'levels',
  'sparse-coded',
  'factors-coded',
  'uniform',
  'left',
  'right',
  '%',
  'c/kernel',
  'd/kernel',
];

/** Changes of the texts that describe the weights. */
export const descriptions: Mutation[] = [
  function lieInNumber(content, random) {
    const text = content.toString('latin1');
    const place = pick([...text.matchAll(/(?<=[ ,=])\d+/g)], random);
    const number = pick(numbers, random);
    return replaced(text, place, number, `${place[0]} is ${number}`);
  },
  function anotherWord(content, random) {
    const text = content.toString('latin1');
    const place = pick([...text.matchAll(/(?<=")[a-z-]+(?= )|(?<=[ =])[a-z/]+/g)], random);
    const word = pick(words, random);
    return replaced(text, place, word, `${place[0]} is ${word}`);
  },
];

function replaced(text: string, { index, 0: { length } }: RegExpExecArray, by: string, what: string) {
  return { content: Buffer.from(text.slice(0, index) + by + text.slice(index + length), 'latin1'), what };
}

const rows = (rows: number, inner: number) => ({ outer: 1, rows, inner });
const left = Float32Array.of(1, 2, 3, 4, 5);

/** Three levels, the first of them at most places. */
function levels(shape: readonly number[]): LevelsWeight {
  const codes = Uint8Array.from({ length: elementCount(shape) }, (_, i) => (i % 7 === 0 ? i % 3 : 0));
  return LevelsWeight.of(shape, { levels: Float32Array.of(-0.5, 0, 3), codes, view: rows(1, codes.length) });
}

/** A grid of 16 levels with a scale and an offset for each three numbers, in the order of the columns. */
function grid(shape: readonly [number, number]): LevelsWeight {
  const codes = Uint8Array.from({ length: shape[0] * shape[1] }, (_, i) => i % 16);
  const scales = Float32Array.from({ length: Math.ceil(codes.length / 3) }, (_, i) => 1 + i / 7);
  const view = { outer: shape[0], rows: shape[1], inner: 1 };
  return LevelsWeight.of(shape, {
    levels: { uniform: 16 },
    codes,
    view,
    bucket: 3,
    scales,
    offsets: scales.map((x) => -x / 3),
  });
}

/** Every tenth number remains, in the form of {@link levels}. */
function sparseLevels(shape: readonly number[]): SparseCodedWeight {
  const kept = Array.from({ length: elementCount(shape) }, (_, i) => (i % 10 === 4 ? 1 : 0));
  return SparseCodedWeight.of(shape, kept, levels([kept.filter(Boolean).length]));
}

/** A weight of each form, for a model that has them with these shapes. */
export const weights = new Map<string, PackedWeight>([
  ['a/kernel', SparseWeight.of([4, 30], new Float32Array(120).fill(2, 60, 62))],
  ['a/bias', new DenseWeight([30], new Float32Array(30))],
  [
    'b/kernel',
    BinaryCodesWeight.of([30, 5], { outer: 30, rows: 5, inner: 1 }, 2, new Float32Array(10), new Uint8Array(150)),
  ],
  ['c/kernel', new FactorsWeight([5, 4], rows(5, 4), 1, { left, right: new Float32Array(4) })],
  ['d/kernel', new FactorsWeight([5, 8], rows(5, 8), 1, { left, right: new Float32Array(8), leftOf: 'c/kernel' })],
  ['e/kernel', levels([5, 30])],
  ['f/kernel', grid([5, 4])],
  ['g/kernel', sparseLevels([5, 30])],
  ['h/kernel', new FactorsCodedWeight([5, 6], rows(5, 6), 2, { left: levels([5, 2]), right: sparseLevels([2, 6]) })],
]);

let model: tf.LayersModel | undefined;

/** The layers of {@link weights}, all but the first two on the same input. */
function createModel(): tf.LayersModel {
  const dense = (name: string, units: number, useBias = false) => tf.layers.dense({ name, units, useBias });
  const input = tf.input({ shape: [4] });
  const hidden = dense('b', 5).apply(dense('a', 30, true).apply(input));
  const units = { c: 4, d: 8, e: 30, f: 4, g: 30, h: 6 };
  const layers = Object.entries(units).map(([name, count]) => dense(name, count));
  const outputs = layers.map((layer) => layer.apply(hidden) as tf.SymbolicTensor);
  return tf.model({ inputs: input, outputs });
}

export const packed: Subject = {
  name: 'packed safetensors',
  cases: 300,
  files: () => Promise.resolve({ 'w.safetensors': encodePacked(weights) }),
  mutations: { 'w.safetensors': [...bytes, ...[...json, ...descriptions, ...descriptions].map(inHeader)] },
  read: (folder) => loadWeights((model ??= createModel()), join(folder, 'w.safetensors'), { complete: true }),
};
