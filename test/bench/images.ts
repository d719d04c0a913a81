/**
 * @file What images in folders cost: decoding them all, reading them back, making batches of them; and a training step of the networks
 * of `examples/cifar-10/`. In processor time of one thread, which a busy machine changes the least.
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
import { loadExperiment } from '../../server/runs/loadExperiment.ts';
import { prepare } from '../../server/training/prepare.ts';
import { beside, median, type Benchmark, type Limited } from './bench.ts';

const FOLDER = 'examples/cifar-10';
const FORM = { width: 32, height: 32, channels: 3 } as const;
const MODELS = ['student-3', 'student-2', 'half-teacher', 'resnet-20', 'student-1', 'teacher'];
const BATCH = 50;
const BATCHES = 1000;
const STEPS = 12;

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
  const pixels = decoded.result;
  const place = mkdtempSync(join(tmpdir(), 'deeptwist-images-'));
  try {
    const cache = new ImageCache(place);
    const written = await processorSeconds(() => cache.write('images', pixels));
    const read = await processorSeconds(() => cache.read('images', pixels.length));
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

/** Says what a step takes; no limit is asked for. */
async function steps(batchSize: number): Promise<void> {
  for (const name of MODELS) {
    const { experiment } = await loadExperiment(`${FOLDER}/${name}.deeptwist.jsonc`, [
      `training.batchSize=${batchSize}`,
      'training.threads=1',
      'data.limit={"train":300,"validation":10,"test":10}',
    ]);
    const prepared = await prepare(experiment, FOLDER, { pretrained: true, trains: true });
    const stream = await prepared.dataset.openTraining({ batchSize, seed: 1, step: 0 });
    const times: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      const { seconds } = await processorSeconds(async () => {
        await prepared.executor.step(await stream.next(), step);
        prepared.optimizer.step(0.01);
      });
      times.push(1000 * seconds);
    }
    await prepared.dispose();
    console.log(`  ${name}, batches of ${batchSize}: ${median(times.slice(2)).toFixed(0)} ms a step`);
  }
}

export default {
  options: { part: { type: 'string' } },
  async run({ part }) {
    const results = part === 'steps' ? [] : await decoding();
    if (part !== 'decoding') for (const batchSize of [50, 100]) await steps(batchSize);
    return results;
  },
} satisfies Benchmark;
