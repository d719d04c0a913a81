/**
 * @file What images in folders cost: decoding them all, reading them back, making batches of them; and a training step of the networks
 * of `examples/cifar-10/`. In processor time of one thread, which a busy machine changes the least; the opening of the data set by the clock.
 *
 * Before the first run: node examples/cifar-10/prepare.js ARCHIVE.tar.gz
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { decodeImages } from '../../server/data/images/decodeImages.ts';
import { ImageCache } from '../../server/data/images/imageCache.ts';
import { readImageFolder } from '../../server/data/images/imageFolder.ts';
import { ImageRows } from '../../server/data/images/imageRows.ts';
import { Random } from '../../server/formats/random.ts';
import { openDataset } from '../../server/data/openDataset.ts';
import { parseExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import { loadExperiment } from '../../server/runs/loadExperiment.ts';
import { prepare } from '../../server/training/prepare.ts';
import { beside, median, type Benchmark, type Limited } from './bench.ts';

const FOLDER = 'examples/cifar-10';
const FORM = { width: 32, height: 32, channels: 3 } as const;
const MODELS = ['student-3', 'student-2', 'half-teacher', 'resnet-20', 'student-1', 'teacher'];
const BATCH = 50;
const BATCHES = 1000;
const STEPS = 12;
const TRAINING = { optimizer: { type: 'sgd', learningRate: 0.1 }, batchSize: BATCH, steps: 1 };

/** Processor time of some work, seconds. */
async function processorSeconds<T>(work: () => T | Promise<T>): Promise<{ result: T; seconds: number }> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: (user + system) / 1e6 };
}

async function decoding(): Promise<Limited[]> {
  const folder = resolve(FOLDER, 'data');
  const found = await processorSeconds(() => readImageFolder(folder, true));
  const files = Object.values(found.result.splits).flat();
  const decoded = await processorSeconds(() => decodeImages(folder, files, FORM, { threads: 0 }));
  const { pixels } = decoded.result;
  const place = mkdtempSync(join(tmpdir(), 'deeptwist-images-'));
  try {
    const cache = new ImageCache(place);
    const file = cache.path([]);
    const written = await processorSeconds(() => cache.write(file, pixels));
    const read = await processorSeconds(() => cache.read(file, pixels.length));
    const count = `${files.length.toLocaleString('en')} images`;
    return [
      beside(5, `finding ${count}`, found.seconds, 's'),
      beside(10, `decoding ${count}`, decoded.seconds, 's'),
      beside(2, `writing ${count}`, written.seconds, 's'),
      beside(2, `reading ${count}`, read.seconds, 's'),
      beside(1, `a batch of ${BATCH}, moved and mirrored`, await batchMilliseconds(pixels, files.length), 'ms'),
    ];
  } finally {
    rmSync(place, { recursive: true });
  }
}

async function batchMilliseconds(pixels: Uint8Array, images: number): Promise<number> {
  const half = [0.5, 0.5, 0.5];
  const order = Uint32Array.from({ length: images }, (_, i) => i);
  new Random(1).shuffle(order);
  const rows = new ImageRows(pixels, FORM, order, { mean: half, deviation: half }, { padding: 4, flip: true });
  const length = FORM.width * FORM.height * FORM.channels;
  const batch = new Float32Array(BATCH * length);
  const random = new Random(2);
  const rounds: number[] = [];
  for (let round = 0; round < 5; round++) {
    const { seconds } = await processorSeconds(() => {
      for (let i = 0; i < BATCH * BATCHES; i++) rows.copy(i % images, batch, (i % BATCH) * length, random);
    });
    rounds.push((1000 * seconds) / BATCHES);
  }
  return median(rounds.slice(1));
}

/** The opening of the data set as a run does it: the first time, and from what that has kept. In seconds of the clock. */
async function opening(): Promise<Limited[]> {
  const place = mkdtempSync(join(tmpdir(), 'deeptwist-images-'));
  try {
    const { data } = parseExperiment(
      JSON.stringify({ model: 'none.ts', data: { type: 'images', path: resolve(FOLDER, 'data') }, training: TRAINING }),
      { file: 'opening' },
    );
    const seconds = async () => {
      const begin = performance.now();
      const dataset = await openDataset(data, place);
      await dataset.close();
      return (performance.now() - begin) / 1000;
    };
    return [
      beside(20, 'opening them the first time', await seconds(), 's'),
      beside(1, 'opening them from the cache', await seconds(), 's'),
    ];
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** What a step takes, and how much of it the making of its batch is: at most 5%. */
async function steps(batchSize: number): Promise<Limited[]> {
  const shares: Limited[] = [];
  for (const name of MODELS) {
    const { experiment } = await loadExperiment(`${FOLDER}/${name}.deeptwist.jsonc`, [
      `training.batchSize=${batchSize}`,
      'training.threads=1',
      'data.limit={"train":300,"validation":10,"test":10}',
    ]);
    const prepared = await prepare(experiment, FOLDER, { pretrained: true, trains: true });
    const stream = await prepared.dataset.openTraining({ batchSize, seed: 1, step: 0 });
    const times: number[] = [];
    const ofBatches: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      const made = await processorSeconds(() => stream.next());
      const { seconds } = await processorSeconds(async () => {
        await prepared.executor.step(made.result, step);
        await prepared.optimizer.step(0.01);
      });
      ofBatches.push(1000 * made.seconds);
      times.push(1000 * seconds);
    }
    await prepared.dispose();
    const [batch, step] = [ofBatches, times].map((all) => median(all.slice(2)));
    console.log(`  ${name}, batches of ${batchSize}: ${step.toFixed(0)} ms a step`);
    shares.push(beside(5, `the batch of a step of ${name}, ${batchSize} images`, (100 * batch) / (batch + step), '%'));
  }
  return shares;
}

export default {
  options: { part: { type: 'string' } },
  async run({ part }) {
    const results: Limited[] = [];
    if (part === undefined || part === 'opening') results.push(...(await opening()));
    if (part === undefined || part === 'decoding') results.push(...(await decoding()));
    if (part === undefined || part === 'steps')
      for (const batchSize of [50, 100]) results.push(...(await steps(batchSize)));
    return results;
  },
} satisfies Benchmark;
