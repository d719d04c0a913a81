import * as tf from '@tensorflow/tfjs';
import { join } from 'node:path';
import { BinaryCodesWeight } from '../../../../server/formats/packed/binaryCodes.ts';
import { DenseWeight } from '../../../../server/formats/packed/dense.ts';
import { FactorsWeight } from '../../../../server/formats/packed/factors.ts';
import { encodePacked, type PackedWeight } from '../../../../server/formats/packed/packedFile.ts';
import { SparseWeight } from '../../../../server/formats/packed/sparse.ts';
import { loadWeights } from '../../../../server/models/loadWeights.ts';
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
  'levels',
  'left',
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
]);

let model: tf.LayersModel | undefined;

/** The layers of {@link weights}, the last two on the same input. */
function createModel(): tf.LayersModel {
  const dense = (name: string, units: number, useBias = false) => tf.layers.dense({ name, units, useBias });
  const input = tf.input({ shape: [4] });
  const hidden = dense('b', 5).apply(dense('a', 30, true).apply(input));
  const outputs = [dense('c', 4), dense('d', 8)].map((layer) => layer.apply(hidden) as tf.SymbolicTensor);
  return tf.model({ inputs: input, outputs });
}

export const packed: Subject = {
  name: 'packed safetensors',
  cases: 300,
  files: () => Promise.resolve({ 'w.safetensors': encodePacked(weights) }),
  mutations: { 'w.safetensors': [...bytes, ...[...json, ...descriptions, ...descriptions].map(inHeader)] },
  read: (folder) => loadWeights((model ??= createModel()), join(folder, 'w.safetensors')),
};
