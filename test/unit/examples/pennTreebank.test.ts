import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { Random } from '../../../server/formats/random.ts';
import type { EventOf, RunEvent } from '../../../server/protocol/run/events.ts';
import { runExperiment } from '../../../server/training/index.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

const examples = fileURLToPath(new URL('../../../examples/language-model/', import.meta.url));

/** Sentences in the form of the Penn Treebank of Mikolov: each begins and ends with a space. */
function sentences(count: number, seed: number): string {
  const random = new Random(seed, 0);
  const word = () => ['the', '<unk>', 'N', "'s", 'company', '$'][random.below(6)];
  return Array.from({ length: count }, () => ` ${Array.from({ length: 9 }, word).join(' ')} \n`).join('');
}

test('the experiments run on files of the Penn Treebank that lie in data/ptb, one from the other', async () => {
  await tf.setBackend('cpu');
  const folder = await temporaryFolder();
  await cp(examples, folder, { recursive: true, filter: (path) => !path.startsWith(join(examples, 'data')) });
  const files = { 'ptb.train.txt': 85, 'ptb.valid.txt': 45, 'ptb.test.txt': 45 };
  for (const [seed, [name, count]] of Object.entries(files).entries()) {
    const file = join(folder, 'data/ptb', name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, sentences(count, seed));
  }
  const run = async (name: string, ...overrides: string[]) => {
    const events: RunEvent[] = [];
    await runExperiment({
      file: join(folder, `${name}.deeptwist.jsonc`),
      overrides: ['data.path=./data/ptb', ...overrides],
      onEvent: (event) => events.push(event),
      signal: new AbortController().signal,
    });
    return events.at(-1) as EventOf<'finished'>;
  };
  const pretrained = await run('small-pretrain', 'training.epochs=3', 'training.optimizer.learningRate=0.1');
  expect(pretrained).toMatchObject({ type: 'finished', step: 6, summary: { metric: 'perplexity' } });
  // Seven words, one of them <eos> after every nine.
  expect(pretrained.summary.test).toBeLessThan(7.5);
  const compressed = ['training.epochs=2', 'compression.distortEvery=2'];
  const pruned = await run('small-prune', ...compressed, 'compression.schedule.to=1');
  expect(pruned.type).toBe('finished');
  expect(pruned.summary.weightRatio).toBeCloseTo(10, 1);
});
