import * as tf from '@tensorflow/tfjs';
import { encodeSafetensors, type Safetensor } from '../../../../server/formats/safetensors.ts';
import { loadWeights } from '../../../../server/training/start/loadWeights.ts';
import { join } from 'node:path';
import { bytes, json, type Mutation } from '../mutations.ts';
import type { Subject } from '../subject.ts';

/** Makes a mutation one of the header, and writes its length as it then is. */
export const inHeader =
  (mutation: Mutation): Mutation =>
  (content, random) => {
    const length = Number(content.readBigUInt64LE());
    const changed = mutation(content.subarray(8, 8 + length), random);
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(changed.content.length));
    return {
      content: Buffer.concat([size, changed.content, content.subarray(8 + length)]),
      what: `header: ${changed.what}`,
    };
  };

let model: tf.LayersModel | undefined;

export const safetensors: Subject = {
  name: 'safetensors',
  cases: 170,
  files: () => {
    const tensors = new Map<string, Safetensor>([
      ['dense/kernel', { dtype: 'F32', shape: [4, 3], data: new Float32Array(12).fill(0.5) }],
      ['dense/bias', { dtype: 'F32', shape: [3], data: new Float32Array(3) }],
      ['other', { dtype: 'I64', shape: [2], data: new BigInt64Array(2) }],
      ['flags', { dtype: 'BOOL', shape: [1, 3], data: new Uint8Array(3) }],
    ]);
    return Promise.resolve({ 'w.safetensors': encodeSafetensors(tensors, { format: 'pt' }) });
  },
  mutations: { 'w.safetensors': [...bytes, ...json.map(inHeader)] },
  read: (folder) => {
    model ??= tf.sequential({ layers: [tf.layers.dense({ name: 'dense', units: 3, inputShape: [4] })] });
    return loadWeights(model, join(folder, 'w.safetensors'), { complete: true });
  },
};
