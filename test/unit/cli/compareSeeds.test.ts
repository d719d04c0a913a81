import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compareCommand } from '../../../server/cli/commands/compare.ts';
import type { CommandContext } from '../../../server/cli/command.ts';
import { createRun } from '../../../server/runs/createRun.ts';
import { EventLog } from '../../../server/runs/log/eventLog.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';
import { MemoryTerminal } from './memoryTerminal.ts';
import { experimentText, finished, started } from './sampleEvents.ts';

/** A run of a seed and a batch size, with its metric, an accuracy unless it is named; undefined: it has not finished. */
type Sample = readonly [seed: number, batchSize: number, test: number | undefined, metric?: string];

async function compare(samples: readonly Sample[], json: boolean) {
  const folder = await temporaryFolder();
  const ids: string[] = [];
  for (const [seed, batchSize, value, metric = 'accuracy'] of samples) {
    const run = await createRun({ experiment: join(folder, 'lenet.deeptwist.jsonc'), text: experimentText });
    const log = await EventLog.open(run);
    const { config } = started;
    log.append({ ...started, config: { ...config, training: { ...config.training, seed, batchSize } } });
    if (value !== undefined)
      log.append({ ...finished, summary: { ...finished.summary, metric, test: value, fileBytes: 30000 + 100 * seed } });
    log.close();
    ids.push(run.id);
  }
  const stdout = new MemoryTerminal();
  const context = { stdout, directory: folder } as unknown as CommandContext;
  expect(await compareCommand.run({ positionals: ids, options: { json } }, context)).toBe(0);
  return { stdout, ids };
}

const fewSamples: readonly Sample[] = [
  [1, 50, 0.98],
  [2, 50, 0.97],
  [1, 20, 0.9851],
  [2, 20, 0.975],
  [3, 20, undefined],
];

test('runs that differ in the seed alone are one column, with mean, deviation and interval', async () => {
  const { stdout, ids } = await compare(fewSamples, false);
  // The deviation of two values is |a - b| / sqrt 2, the margin 12.706 |a - b| / 2.
  expect(stdout.lines.slice(0, 8)).toEqual([
    '                      A                B',
    'seeds                 1-2              1-2; 1 not finished',
    'training.batchSize    50               20',
    'test accuracy         0.975 ± 0.064    0.98 ± 0.064',
    '  standard deviation  0.007071         0.007142',
    'bytes                 30.1 kB ± 635 B  30.1 kB ± 635 B',
    '  standard deviation  71 B             71 B',
    '',
  ]);
  expect(stdout.text).toContain(
    'B - A  test accuracy 0.00505 ± 0.00064 in 2 pairs of the same seed: more than noise\n',
  );
  expect(stdout.text).toContain('B - A  bytes 0 B ± 0 B in 2 pairs of the same seed: no more than noise\n');
  expect(stdout.text).toContain(`A  ${ids[0]} ${ids[1]}\nB  ${ids[2]} ${ids[3]} ${ids[4]}\n`);
});

test('the same for programs', async () => {
  const { stdout, ids } = await compare(fewSamples, true);
  expect(JSON.parse(stdout.text)).toMatchObject({
    groups: [
      { name: 'A', runs: ids.slice(0, 2), seeds: [1, 2], metric: 'accuracy', settings: { 'training.batchSize': '50' } },
      { name: 'B', seeds: [1, 2], results: { test: { count: 2, mean: 0.98005 }, bytes: { count: 2, mean: 30150 } } },
    ],
    differences: [
      { from: 'A', to: 'B', result: 'test', pairs: 2, isMoreThanNoise: true },
      { result: 'bytes', mean: 0, margin: 0, isMoreThanNoise: false },
    ],
  });
});

test.each([
  ['of one seed each', [fewSamples[0], fewSamples[2]]],
  ['of the same seed twice', [fewSamples[0], fewSamples[0]]],
])('runs %s stand side by side', async (_, samples) => {
  const { stdout, ids } = await compare(samples, false);
  expect(stdout.lines[0].split(/\s+/)).toEqual(['', ...ids]);
  expect(stdout.text).not.toContain('±');
});

test('a seed that was run twice counts once, and other seeds are compared as wholes', async () => {
  const { stdout } = await compare([[1, 50, 0.9], [1, 50, 0.9], [3, 20, 0.95], [4, 20, 0.96]], false); // prettier-ignore
  expect(stdout.lines[1]).toMatch(/^seeds +1 +3-4$/);
  expect(stdout.text).toContain('B - A  test accuracy 0.055: one run tells nothing of the noise: run more seeds\n');
});

test('groups with two metrics have a row for each, and only their bytes are compared', async () => {
  const losses = [[1, 20, 0.5, 'loss'], [2, 20, 0.75, 'loss']] as const; // prettier-ignore
  const { stdout } = await compare([...fewSamples.slice(0, 2), ...losses], false);
  const rows = stdout.lines.map((line) => line.trimEnd());
  expect(rows.filter((row) => row.startsWith('test'))).toEqual([
    'test accuracy         0.975 ± 0.064',
    expect.stringMatching(/^test loss {29,}0\.625 ± 1\.6$/) as string,
  ]);
  expect(rows.filter((row) => row.startsWith('B - A'))).toEqual([expect.stringMatching(/^B - A {2}bytes /) as string]);
});

test('where a result is not finite, nothing is said of noise', async () => {
  const { stdout } = await compare([...fewSamples.slice(0, 3), [2, 20, NaN]], false);
  expect(stdout.text).toContain(
    'B - A  test accuracy NaN ± NaN in 2 pairs of the same seed: some results are not finite\n',
  );
});
