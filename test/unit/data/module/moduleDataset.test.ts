import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Batch, Dataset } from '../../../../server/data/dataset.ts';
import { openDataset } from '../../../../server/data/openDataset.ts';
import { root } from '../../../../scripts/root.js';
import { until } from '../../../until.ts';
import { userErrorOf } from '../../userErrorOf.ts';

let folder: string;
let opened: Dataset | undefined;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'deeptwist-data-'))));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => opened?.close());

async function open(text: string): Promise<Dataset> {
  writeFileSync(join(folder, 'data.ts'), text);
  return (opened = await openDataset({ type: 'module', path: './data.ts' }, folder));
}

/** Five samples an epoch; the input tells epoch and sample, the target the seed. */
const counting = `
  interface Context { batchSize: number; seed: number; epoch: number }
  export function* train({ batchSize, seed, epoch }: Context) {
    for (let i = 0; i < 5; i += batchSize) {
      const rows = Array.from({ length: Math.min(batchSize, 5 - i) }, (_, k) => [epoch, i + k]);
      yield { inputs: rows, targets: Int32Array.from(rows, () => seed) };
    }
  }
  export async function* test({ batchSize }: { batchSize: number }) {
    for (let i = 0; i < 3; i += batchSize)
      yield { inputs: [[0, i], [0, i + 1]].slice(0, 3 - i), targets: Int32Array.of(8, 9).subarray(0, 3 - i) };
  }
`;

async function take(data: Dataset, steps: number, step = 0, batchSize = 2): Promise<string[]> {
  const stream = await data.openTraining({ batchSize, seed: 7, step });
  const result: string[] = [];
  for (let i = 0; i < steps; i++) {
    const { inputs, targets } = await stream.next();
    result.push(`${inputs[0].join(' ')} | ${targets[0].join(' ')}`);
  }
  await stream.close();
  return result;
}

async function all(batches: Iterable<Batch> | AsyncIterable<Batch>): Promise<number[]> {
  const sizes: number[] = [];
  for await (const { size } of batches) sizes.push(size);
  return sizes;
}

test('the thread of a module loads TensorFlow.js only where the module imports it', async () => {
  const reporting = (imports: string) => `
    import { createRequire } from 'node:module';
    ${imports}
    const loaded = Object.keys(createRequire(import.meta.url).cache).some((file) => /tfjs-core/.test(file));
    export function* train() { yield { inputs: [[loaded ? 1 : 0]], targets: Int32Array.of(0) }; }
    export const test = train;
  `;
  const seen = async (imports: string) => {
    const data = await open(reporting(imports));
    const stream = await data.openTraining({ batchSize: 1, seed: 0, step: 0 });
    const { inputs } = await stream.next();
    await stream.close();
    await data.close();
    return inputs[0][0];
  };
  expect(await seen('')).toBe(0);
  expect(await seen("import * as tf from '@tensorflow/tfjs'; tf.scalar(1);")).toBe(1);
});

describe('a module that counts', () => {
  let data: Dataset;
  beforeAll(async () => {
    data = await open(`${counting}; export { test as validation }; export const samples = { train: 5 };`);
    opened = undefined;
  });
  afterAll(() => data.close());

  test('tells its tensors, splits and counts', () => {
    expect(data.inputs).toEqual([{ shape: [2], dtype: 'float32' }]);
    expect(data.targets).toEqual([{ shape: [], dtype: 'int32' }]);
    expect(data.stepsPerEpoch(2)).toBe(2);
    expect(data.train.samples).toBe(5);
    expect(data.test.samples).toBeUndefined();
    expect(data.validation).toBeDefined();
    expect(data.description).toBe('data.ts: train 5, test of unknown length, validation of unknown length');
  });

  test('trains on full batches, epoch after epoch, and can be resumed', async () => {
    const expected = ['0 0 0 1', '0 2 0 3', '1 0 1 1', '1 2 1 3', '2 0 2 1', '2 2 2 3'].map((rows) => `${rows} | 7 7`);
    expect(await take(data, 6)).toEqual(expected);
    expect(await take(data, 3, 3)).toEqual(expected.slice(3));
  });

  test('gives every sample of a split once, also after a split was left early', async () => {
    expect(await all(data.test.batches(2))).toEqual([2, 1]);
    for await (const { size } of data.test.batches(2)) {
      expect(size).toBe(2);
      break;
    }
    expect(await all(data.test.batches(2))).toEqual([2, 1]);
  });

  test('serves training and evaluation at the same time', async () => {
    const stream = await data.openTraining({ batchSize: 2, seed: 7, step: 0 });
    await stream.next();
    expect(await all(data.test.batches(2))).toEqual([2, 1]);
    expect([...(await stream.next()).inputs[0]]).toEqual([0, 2, 0, 3]);
    await stream.close();
  });
});

test('the worker runs ahead of the training loop by a few batches and no more', async () => {
  const data = await open(`
    let made = 0;
    export function* train() { for (;;) yield { inputs: [made], targets: [made++] }; }
    export function* test() { yield { inputs: [made], targets: [0] }; }
  `);
  const stream = await data.openTraining({ batchSize: 1, seed: 7, step: 0 });
  await stream.next();
  const made = async (): Promise<number> => {
    for await (const { inputs } of data.test.batches(1)) return inputs[0][0];
    throw new Error('There is no batch.');
  };
  // One made when the module was probed, one taken, four ahead.
  await until(async () => (await made()) === 6);
  // The worker has answered meanwhile, and made no more.
  for (let turn = 0; turn < 20; turn++) expect(await made()).toBe(6);
  await stream.close();
});

test('a module that never yields does not keep the data set from closing', async () => {
  const data = await open(`
    export function* train({ seed }) { yield { inputs: [1], targets: [1] }; while (seed === 7); }
    export function* test() { yield { inputs: [1], targets: [1] }; }
  `);
  const stream = await data.openTraining({ batchSize: 1, seed: 7, step: 1 });
  const next = stream.next();
  await Promise.all([data.close(), expect(next).rejects.toThrow('closed')]);
});

test('a mistake in the module is told as an error of the user', async () => {
  const error = await userErrorOf(() => open('export const train = 5;'));
  expect(error.message).toMatch(/data\.ts exports 'train', which is not a function/);
  expect(error.remedy).toMatch(/Export a function/);
});

test('a batch that is refused is told after the good ones before it', async () => {
  const data = await open(`
    const batch = { inputs: [1, 2], targets: [1, 2] };
    export const train = ({ seed }) => (seed === 7 ? [batch, { inputs: [[1], [2]], targets: [1, 2] }] : [batch]);
    export const test = () => [batch];
  `);
  expect(await take(data, 1)).toEqual(['1 2 | 1 2']);
  const error = await userErrorOf(() => take(data, 2));
  expect(error.message).toMatch(/train\(\), batch 1: a sample's inputs are float32 \[1\]/);
});

test('a thread that ends while the module is loaded fails the opening', async () => {
  expect((await userErrorOf(() => open('process.exit(3);'))).message).toMatch(/data\.ts stopped: exit code 3/);
});

test('a thread that dies fails every stream at once', async () => {
  const data = await open(`
    export function* train({ seed }) { yield { inputs: [1], targets: [1] }; if (seed === 7) process.exit(1); }
    export function* test() { yield { inputs: [1], targets: [1] }; }
  `);
  expect((await userErrorOf(() => take(data, 2, 0, 1))).message).toMatch(/thread of the data module/);
  expect((await userErrorOf(() => all(data.test.batches(1)))).message).toMatch(/thread of the data module/);
});

test('bundled, the worker beside the command line program is used', async () => {
  writeFileSync(join(folder, 'data.ts'), `console.log('printed by the module'); ${counting}`);
  writeFileSync(
    join(folder, 'main.ts'),
    `import { openDataset } from ${JSON.stringify(new URL('../../../../server/data/openDataset.ts', import.meta.url).pathname)};
     const data = await openDataset({ type: 'module', path: 'data.ts' }, ${JSON.stringify(folder)});
     const stream = await data.openTraining({ batchSize: 2, seed: 7, step: 2 });
     console.log((await stream.next()).inputs[0].join());
     await data.close();`,
  );
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  await build({
    entryPoints: {
      cli: join(folder, 'main.ts'),
      moduleWorker: new URL('../../../../server/data/module/moduleWorker.ts', import.meta.url).pathname,
    },
    outdir: join(folder, 'dist'),
    bundle: true,
    // As in the build: it requires Babel from beside it.
    external: ['jiti'],
    platform: 'node',
    format: 'esm',
    outExtension: { '.js': '.js' },
    banner: { js: "import { createRequire as $r } from 'node:module'; const require = $r(import.meta.url);" },
    logLevel: 'error',
  });
  writeFileSync(join(folder, 'dist', 'package.json'), '{ "type": "module" }');
  // Standard output carries the program's own words only; the module's go to standard error.
  const output = execFileSync(process.execPath, [join(folder, 'dist', 'cli.js')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  expect(output.toString()).toBe('1,0,1,1\n');
});
