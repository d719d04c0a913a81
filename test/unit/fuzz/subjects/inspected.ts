/** @file Files that somebody looks at, of each kind: all that the editor and `deeptwist inspect` read of them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, zipSync } from 'fflate';
import { encodePacked } from '../../../../server/formats/packed/packedFile.ts';
import { openModelFile } from '../../../../server/inspect/modelFile.ts';
import { histogramOf, statisticsOf } from '../../../../server/inspect/statistics.ts';
import { UserError } from '../../../../server/protocol/userError.ts';
import { bytes, json, type Mutation } from '../mutations.ts';
import type { Subject } from '../subject.ts';
import { header } from './arrays.ts';
import { saved } from './models.ts';
import { descriptions, weights } from './packed.ts';
import { inHeader } from './safetensors.ts';

const fixture = (path: string) => readFile(new URL(`../../${path}`, import.meta.url));

/** Opens the file and reads every tensor that can be read. @returns the number of those */
async function inspect(path: string): Promise<number> {
  const file = await openModelFile(path);
  try {
    let read = 0;
    for (const tensor of file.tensors)
      try {
        await histogramOf(tensor, await statisticsOf(tensor));
        read++;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    return read;
  } finally {
    await file.close();
  }
}

function subject(
  name: string,
  files: () => Promise<Readonly<Record<string, Uint8Array | string>>>,
  mutations: Readonly<Record<string, readonly Mutation[]>>,
): Subject {
  return {
    name: `inspected ${name}`,
    cases: 120,
    files,
    mutations,
    read: (folder) => inspect(join(folder, name)),
    isRead: (read) => read !== 0,
  };
}

export const inspected: readonly Subject[] = [
  subject('x.safetensors', async () => ({ 'x.safetensors': await fixture('formats/fixtures/all-types.safetensors') }), {
    'x.safetensors': [...bytes, ...json.map(inHeader)],
  }),
  subject('packed.safetensors', () => Promise.resolve({ 'packed.safetensors': encodePacked(weights) }), {
    'packed.safetensors': [...bytes, ...[...json, ...descriptions, ...descriptions].map(inHeader)],
  }),
  subject('net.pt', async () => ({ 'net.pt': await fixture('inspect/fixtures/torch/numbers.pt') }), {
    'net.pt': bytes,
  }),
  subject('net.pth', async () => ({ 'net.pth': await fixture('inspect/fixtures/torch/legacy.pth') }), {
    'net.pth': bytes,
  }),
  subject(
    'model.safetensors.index.json',
    async () => ({
      'model.safetensors.index.json': await fixture('inspect/fixtures/torch/model.safetensors.index.json'),
      'model-00001-of-00002.safetensors': await fixture('inspect/fixtures/torch/model-00001-of-00002.safetensors'),
      'model-00002-of-00002.safetensors': await fixture('inspect/fixtures/torch/model-00002-of-00002.safetensors'),
    }),
    { 'model.safetensors.index.json': json, 'model-00002-of-00002.safetensors': [...bytes, ...json.map(inHeader)] },
  ),
  subject('x.npy', async () => ({ 'x.npy': await fixture('formats/fixtures/f4.npy') }), {
    'x.npy': [...bytes, ...header, ...header],
  }),
  subject(
    'x.npz',
    async () => {
      const array = await fixture('formats/fixtures/i8.npy');
      return { 'x.npz': zipSync({ 'a.npy': array, 'b.npy': [array, { level: 0 }] }) };
    },
    { 'x.npz': bytes },
  ),
  subject('x.onnx', async () => ({ 'x.onnx': await fixture('inspect/fixtures/all-types.onnx') }), { 'x.onnx': bytes }),
  subject(
    'external.onnx',
    async () => ({
      'external.onnx': await fixture('inspect/fixtures/external.onnx'),
      'external.bin': await fixture('inspect/fixtures/external.bin'),
    }),
    { 'external.onnx': bytes, 'external.bin': bytes },
  ),
  subject('net.keras', async () => ({ 'net.keras': await fixture('models/keras/fixtures/nested/model.keras') }), {
    'net.keras': bytes,
  }),
  subject('net.h5', async () => ({ 'net.h5': gunzipSync(await fixture('models/keras/fixtures/nested/model.h5.gz')) }), {
    'net.h5': bytes,
  }),
  subject('model.json', saved, { 'model.json': json, 'weights.bin': bytes }),
];
