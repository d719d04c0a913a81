import { gzipSync } from 'node:zlib';
import { openDataset } from '../../../../server/data/openDataset.ts';
import { bytes, type Mutation } from '../mutations.ts';
import type { Subject } from '../subject.ts';

function idx(sizes: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  [0x800 | sizes.length, ...sizes].forEach((value, i) => header.writeUInt32BE(value, 4 * i));
  return Buffer.concat([header, data]);
}

const images = idx([20, 8, 8], new Uint8Array(20 * 64).fill(7));
const labels = idx(
  [20],
  Uint8Array.from({ length: 20 }, (_, i) => i % 10),
);

/** A file that is made wrong before it is compressed. */
const inside = (file: Buffer): Mutation[] =>
  bytes.map((mutation) => (_, random) => {
    const { content, what } = mutation(file, random);
    return { content: gzipSync(content), what: `compressed, ${what}` };
  });

let bomb: Buffer | undefined;
const bombs: Mutation[] = [
  () => {
    bomb ??= gzipSync(Buffer.concat([images, Buffer.alloc(400e6)]), { level: 1 });
    return { content: bomb, what: '400 MB of zeros' };
  },
  () => ({ content: gzipSync(idx([2 ** 31, 28, 28], new Uint8Array(0))), what: 'a header that tells of terabytes' }),
];

export const idxFiles: Subject = {
  name: 'IDX and gzip',
  cases: 170,
  files: () =>
    Promise.resolve({
      'train-images-idx3-ubyte': images,
      'train-labels-idx1-ubyte': labels,
      't10k-images-idx3-ubyte.gz': gzipSync(images),
      't10k-labels-idx1-ubyte.gz': gzipSync(labels),
    }),
  mutations: {
    'train-images-idx3-ubyte': bytes,
    'train-labels-idx1-ubyte': bytes,
    't10k-images-idx3-ubyte.gz': [...bytes, ...inside(images), ...bombs],
    't10k-labels-idx1-ubyte.gz': [...bytes, ...inside(labels)],
  },
  read: (folder) => openDataset({ type: 'mnist', path: '.' }, folder),
};
