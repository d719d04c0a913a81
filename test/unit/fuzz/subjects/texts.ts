import { openDataset } from '../../../../server/data/openDataset.ts';
import { bytes, text } from '../mutations.ts';
import type { Subject } from '../subject.ts';

const sentences = 'the cat sat on the mät\nthe dog ran\n\nfar away\n'.repeat(30);
const words = 'the\ncat\n<eos>\n<unk>\nmät\n';

export const texts: Subject = {
  name: 'text and vocabulary',
  cases: 150,
  files: () =>
    Promise.resolve({ 'a.train.txt': sentences, 'a.test.txt': sentences, 'one.txt': sentences, 'words.txt': words }),
  mutations: {
    'a.train.txt': [...text, ...bytes],
    'one.txt': [...text, ...bytes],
    'words.txt': [...text, ...bytes],
  },
  async read(folder) {
    const common = { type: 'text', timeSteps: 3 } as const;
    const divided = { path: 'one.txt', split: { validation: 0.1, test: 0.1 }, vocabulary: {} };
    for (const config of [{ path: '.', vocabulary: { file: 'words.txt' } }, divided]) {
      const dataset = await openDataset({ ...common, ...config }, folder);
      try {
        await (await dataset.openTraining({ batchSize: 2, seed: 1, step: 0 })).next();
      } finally {
        await dataset.close();
      }
    }
  },
};
