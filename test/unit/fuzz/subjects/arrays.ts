import { readFile } from 'node:fs/promises';
import { zipSync } from 'fflate';
import { openDataset } from '../../../../server/data/openDataset.ts';
import { bytes, pick, type Mutation } from '../mutations.ts';
import type { Subject } from '../subject.ts';

const fixture = (name: string) => readFile(new URL(`../../formats/fixtures/${name}`, import.meta.url));

const sizes = ['0', '-1', '1e9', '99999999999999999999', '(1,)', 'None', '2L', '4294967296', "'2'", ''];
const types = ['<f2', '>f4', '<f8', '<c8', '|O', '<U9', '|V4', '<M8[ns]', '<i2', '>u8', '', 'toString', '<f4'];

/** Changes of the dictionary of a header, which keeps its length. */
export const header: Mutation[] = [
  (content, random) => {
    const size = pick(sizes, random);
    return { content: replaced(content, /\((\d+), /, `(${size}, `), what: `a size is ${size}` };
  },
  (content, random) => {
    const type = pick(types, random);
    return { content: replaced(content, /'descr': '[^']*'/, `'descr': '${type}'`), what: `the type is ${type}` };
  },
  (content) => ({ content: replaced(content, 'False', 'True'), what: 'in Fortran order' }),
  (content) => ({ content: replaced(content, 'shape', 'shap'), what: 'no shape' }),
  (content, random) => {
    const count = pick([65, 5000], random);
    return { content: replaced(content, /\(.*\)/, `(${'1, '.repeat(count)})`), what: `${count} axes` };
  },
];

function replaced(content: Buffer, search: RegExp | string, replacement: string): Buffer {
  return Buffer.from(content.toString('latin1').replace(search, replacement), 'latin1');
}

const data = {
  type: 'arrays',
  split: { validation: 0 },
  seed: 1,
  train: { inputs: 'x.npy', targets: 'y.npy' },
  test: { inputs: 'both.npz:x', targets: 'both.npz:y' },
} as const;

/** An archive with an array that is made wrong inside. */
const inside: Mutation[] = [...bytes, ...header].map((mutation) => (_, random) => {
  const { content, what } = mutation(x, random);
  return { content: Buffer.from(zipSync({ 'x.npy': content, 'y.npy': y })), what: `in the archive, ${what}` };
});

let bomb: Buffer | undefined;
const bombs: Mutation[] = [
  () => {
    bomb ??= Buffer.from(zipSync({ 'x.npy': Buffer.concat([x, Buffer.alloc(400e6)]), 'y.npy': y }, { level: 1 }));
    return { content: bomb, what: 'an archive with 400 MB of zeros' };
  },
];

let x: Buffer;
let y: Buffer;

export const arrays: Subject = {
  name: 'npy and npz',
  cases: 190,
  async files() {
    x = await fixture('f4.npy');
    y = await fixture('i4.npy');
    return { 'x.npy': x, 'y.npy': y, 'both.npz': zipSync({ 'x.npy': x, 'y.npy': y }) };
  },
  mutations: {
    'x.npy': [...bytes, ...header, ...header],
    'y.npy': [...bytes, ...header],
    'both.npz': [...bytes, ...bytes, ...inside, ...bombs],
  },
  read: async (folder) => {
    const dataset = await openDataset(data, folder);
    const stream = await dataset.openTraining({ batchSize: 2, seed: 1, step: 0 });
    await stream.next();
    for await (const batch of dataset.test.batches(2)) void batch;
  },
};
