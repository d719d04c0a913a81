import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ModuleSource } from '../../../../server/data/module/moduleSource.ts';
import { userErrorOf } from '../../userErrorOf.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'deeptwist-source-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function open(text: string): Promise<ModuleSource> {
  const path = join(folder, 'data.ts');
  writeFileSync(path, text);
  return ModuleSource.open(path);
}

/** Five samples an epoch, each with the number `100 epoch + sample`. */
const counting = `
  interface Context { batchSize: number; seed: number; epoch: number }
  export function* train({ batchSize, seed, epoch }: Context) {
    for (let i = 0; i < 5; i += batchSize) {
      const samples = Array.from({ length: Math.min(batchSize, 5 - i) }, (_, k) => 100 * epoch + i + k);
      yield { inputs: samples, targets: samples };
    }
  }
  export const test = () => [{ inputs: [1], targets: [1] }];
`;

async function take(source: ModuleSource, steps: number, step = 0, batchSize = 2): Promise<string[]> {
  const stream = source.training({ batchSize, seed: 7, step });
  const result: string[] = [];
  for (let i = 0; i < steps; i++) result.push((await stream.next()).value.inputs[0].join(' '));
  return result;
}

async function readAll(batches: AsyncIterable<unknown>): Promise<void> {
  for await (const batch of batches) void batch;
}

test.each(['', 'export const samples = { train: 5, test: 3 };'])(
  'a resumed stream continues as if it had not been interrupted %s',
  async (samples) => {
    const source = await open(counting + samples);
    const whole = await take(source, 9);
    expect(whole.slice(0, 5)).toEqual(['0 1', '2 3', '100 101', '102 103', '200 201']);
    for (const step of [1, 2, 5]) expect(await take(source, 4, step)).toEqual(whole.slice(step, step + 4));
  },
);

test('with known counts a resumed stream calls train() for no epoch before its own', async () => {
  const log = `
    export const samples = { train: 4 };
    export function* train({ batchSize, epoch }) {
      if (batchSize > 1 && epoch < 3) throw new Error('not needed');
      for (let i = 0; i < 2; i++) yield { inputs: [epoch, i], targets: [0, 0] };
    }
    export const test = () => [{ inputs: [1], targets: [1] }];
  `;
  expect(await take(await open(log), 2, 7)).toEqual(['3 1', '4 0']);
});

describe('mistakes are told with the module and the function', () => {
  const good = 'export function* test() { yield { inputs: [1], targets: [1] }; }';
  test.each([
    ['no train', good, /data\.ts does not export 'train'. It exports: test\./],
    ['no iterable', `${good} export const train = () => 5;`, /train\(\), batch 0: it did not return an iterable/],
    ['no batch', `${good} export const train = () => [];`, /train\(\) yielded no batch/],
    ['bad batch', `${good} export const train = () => [{ inputs: [1] }];`, /train\(\), batch 0: it is not \{ inputs/],
    [
      'throws',
      `${good}\nexport const train = () => { null!.x; };`,
      /train\(\) of .*data\.ts failed: .*data\.ts:2:\d+\)/,
    ],
    [
      'splits differ',
      `${good} export const train = () => [{ inputs: [[1]], targets: [1] }];`,
      /test\(\), batch 0: .*\[\], but were float32 \[1\]/,
    ],
    ['samples', `${good} export const train = test, samples = 5;`, /exports 'samples', which is not a table/],
  ])('%s', async (_, text, message) => {
    const error = await userErrorOf(() => open(text));
    expect(error.message).toMatch(message);
    expect(error.remedy).toBeTruthy();
  });

  test.each([
    ['too few samples', 8, '', /yielded no batch of 8 samples \(training\.batchSize\) in epoch 0/],
    ['wrong count', 2, 'export const samples = { train: 9 };', /samples\.train is 9.* 4 batches of 2.* yielded 2 in/],
  ])('%s', async (_, batchSize, samples, message) => {
    const source = await open(counting + samples);
    expect((await userErrorOf(() => take(source, 9, 0, batchSize))).message).toMatch(message);
  });

  test.each(['test', 'validation'] as const)('more samples than %s has', async (split) => {
    const endless = `export function* ${split}({ batchSize }) { for (;;) yield { inputs: Array(batchSize).fill(1), targets: Array(batchSize).fill(1) }; }`;
    const source = await open(
      `${endless} export const train = ${split}; ${split === 'test' ? '' : 'export const test = train;'}
       export const samples = { train: 3, ${split}: 20 };`,
    );
    const error = await userErrorOf(() => readAll(source.split(split, 5)));
    expect(error.message).toMatch(
      new RegExp(`data\\.ts: samples\\.${split} is 20, and ${split}\\(\\) yields more\\.$`),
    );
    expect(error.remedy).toContain(`Let ${split}() end`);
    // `train` may go on without end: whoever counts its samples ends it.
    for await (const batch of source.split('train', 5)) if (batch.size === 5) break;
  });

  test('a batch that is too large', async () => {
    const source = await open(`${good} export const train = () => [{ inputs: [1, 2, 3], targets: [1, 2, 3] }];`);
    const error = await userErrorOf(() => readAll(source.split('train', 2)));
    expect(error.message).toMatch(/train\(\), batch 0: it has 3 samples; batchSize is 2/);
  });
});
