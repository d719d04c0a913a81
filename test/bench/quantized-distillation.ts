/**
 * @file Quantized distillation and differentiable quantization (Polino et al. 2018) on CIFAR-10, beside DeepTwist with the same levels:
 * the paper's smallest student, a teacher with half of the paper's filters, and part of the images, so that a processor can train it
 * three times. Says for each ordering of the paper whether it is seen: `npm run bench -- quantized-distillation --keep FOLDER`. The
 * images are those of examples/cifar-10/README.md. It takes hours; what is finished in FOLDER is not run again.
 */
import type { Benchmark, Result } from './bench.ts';
import { keptFolder, runExperiments, spread, withKeptFolder, type ExperimentRun } from './experiments.ts';

const file = (name: string) => `examples/cifar-10/${name}.deeptwist.jsonc`;

/** Epochs of the teacher, on all 45,000 images that are not kept for validation. */
const TEACHER_EPOCHS = 6;
const TEACHER_STEPS = 450 * TEACHER_EPOCHS;
/** Images of each class that a student learns from; 100 steps an epoch. */
const IMAGES = 1000;
const STEPS_PER_EPOCH = 100;
/** Epochs of a student in full precision, from random weights. */
const EPOCHS = 8;
/** Epochs of what goes on from the distilled student: quantized, or for comparison in full precision. */
const FURTHER_EPOCHS = 2;
/** S_D of DeepTwist, in steps. */
const DISTORTS_EVERY = 20;
const BITS = [2, 4, 8];
const SEARCHED_BITS = 2;
/** The difference of two mean accuracies, in points, up to which they count as equal. */
const EQUAL = 1;

/** A way to train a quantized student further. */
interface Way {
  readonly name: string;
  readonly bits: readonly number[];
  readonly distilled: boolean;
  /** First learning rates that are tried with two bits, on the validation split, with seed 1. */
  readonly learningRates: readonly number[];
  readonly compression: (bits: number) => object | null;
}

const uniform = (bits: number, bucket: number | string = 256) => ({ '*': { levels: 'uniform', bits, bucket } });
const straightThrough = (bits: number) => ({
  method: 'quantize',
  policy: 'straight-through',
  distortEvery: 1,
  layers: uniform(bits),
});
const deeptwist = (bits: number) => ({
  method: 'quantize',
  policy: 'deeptwist',
  distortEvery: DISTORTS_EVERY,
  layers: uniform(bits),
});
const points = (bits: number) => ({
  method: 'quantize',
  policy: 'points',
  distortEvery: 100,
  layers: { '*': { levels: 'points', bits, bucket: 256 } },
});

const RATES_OF_WEIGHTS = [0.005, 0.02];
/** A point has the sum of the gradients of many weights. */
const RATES_OF_POINTS = [1e-4, 1e-3];

const ways: readonly Way[] = [
  { name: 'QD', bits: BITS, distilled: true, learningRates: RATES_OF_WEIGHTS, compression: straightThrough },
  {
    name: 'straight-through, labels alone',
    bits: [2, 4],
    distilled: false,
    learningRates: RATES_OF_WEIGHTS,
    compression: straightThrough,
  },
  {
    name: 'DeepTwist, distilled',
    bits: BITS,
    distilled: true,
    learningRates: RATES_OF_WEIGHTS,
    compression: deeptwist,
  },
  { name: 'DQ', bits: [2, 4], distilled: true, learningRates: RATES_OF_POINTS, compression: points },
];

const split = 'data.split.validation=0.1';
const student = [split, `data.limit={"train":${IMAGES},"validation":200}`];

const teacherRun: ExperimentRun = {
  name: 'teacher',
  file: file('half-teacher'),
  overrides: [split, `training.epochs=${TEACHER_EPOCHS}`, `training.learningRateSchedule.steps=${TEACHER_STEPS}`],
  seed: 1,
};

class Series {
  readonly #keep: string;
  readonly #teacher: string;
  readonly #seeds: readonly number[];

  constructor(keep: string, seeds: number) {
    this.#keep = keep;
    this.#teacher = keptFolder(keep, teacherRun);
    this.#seeds = Array.from({ length: seeds }, (_, index) => index + 1);
  }

  /** A student in full precision from random weights. */
  plain(distilled: boolean, seed: number): ExperimentRun {
    const overrides = [...student, ...this.#objective(distilled), ...course(EPOCHS, 0.05)];
    return { name: distilled ? 'distilled' : 'plain', file: file('student-3'), overrides, seed };
  }

  /** The distilled student, trained further. */
  further(
    way: Pick<Way, 'name' | 'distilled'>,
    compression: object | null,
    learningRate: number,
    seed: number,
  ): ExperimentRun {
    const overrides = [
      ...student,
      ...this.#objective(way.distilled),
      ...course(FURTHER_EPOCHS, learningRate),
      `start=run:${keptFolder(this.#keep, this.plain(true, seed))}`,
      ...(compression === null ? [] : [`compression=${JSON.stringify(compression)}`]),
    ];
    return { name: way.name, file: file('student-3'), overrides, seed };
  }

  /**
   * The distilled student, quantized once. The single step leaves the weights as they are; its thousand images move the averages of
   * the normalizations by a tenth of the way to their own.
   */
  afterTraining(bits: number, bucket: number | string, seed: number): ExperimentRun {
    const overrides = [
      ...student,
      `start=run:${keptFolder(this.#keep, this.plain(true, seed))}`,
      'training.learningRateSchedule=null',
      'training.optimizer={"type":"sgd","learningRate":1e-30}',
      'training.batchSize=1000',
      'training.epochs=null',
      'training.steps=1',
      `compression=${JSON.stringify({ method: 'quantize', policy: 'one-shot', distortEvery: 1, layers: uniform(bits, bucket) })}`,
    ];
    return { name: `after training, ${bits} bits, bucket ${bucket}`, file: file('student-3'), overrides, seed };
  }

  /** The learning rate of the highest accuracy on the validation split. */
  async search(way: Way): Promise<number> {
    const runs = way.learningRates.map((rate) =>
      this.further({ ...way, name: `search ${way.name} lr ${rate}` }, way.compression(SEARCHED_BITS), rate, 1),
    );
    const results = await runExperiments(runs, { keep: this.#keep });
    const accuracies = results.map(({ summary }) => summary.validation!);
    const best = way.learningRates[accuracies.indexOf(Math.max(...accuracies))];
    const found = way.learningRates.map((rate, index) => `${rate}: ${(100 * accuracies[index]).toFixed(2)}%`);
    console.log(`${way.name}, ${SEARCHED_BITS} bits, on the validation split: ${found.join(', ')}; ${best} is taken.`);
    return best;
  }

  /** Test accuracies of the seeds, in percent. */
  async accuracies(runOf: (seed: number) => ExperimentRun): Promise<number[]> {
    const results = await runExperiments(this.#seeds.map(runOf), { keep: this.#keep });
    return results.map(({ summary }) => 100 * summary.test);
  }

  #objective(distilled: boolean): string[] {
    const distillation = { teacher: `run:${this.#teacher}`, temperature: 2, weight: 0.7 };
    return distilled ? [`distillation=${JSON.stringify(distillation)}`] : [];
  }
}

/** The learning rate falls to a hundredth. */
const course = (epochs: number, learningRate: number) => [
  `training.epochs=${epochs}`,
  `training.optimizer.learningRate=${learningRate}`,
  `training.learningRateSchedule.steps=${epochs * STEPS_PER_EPOCH}`,
];

/** Mean accuracies of the seeds by name, in percent. */
type Means = ReadonlyMap<string, number>;

/** The orderings of section 5 of the paper, and the question that it leaves open. */
function orderings(means: Means): readonly (readonly [claim: string, seen: boolean])[] {
  const of = (name: string) => {
    const mean = means.get(name);
    if (mean === undefined) throw new Error(`There is no row ${name}.`);
    return mean;
  };
  const full = of('further, no quantization');
  const equal = (a: string, b: string) => Math.abs(of(a) - of(b)) <= EQUAL;
  const after = (bits: number, bucket: number | string) => `after training, ${bits} bits, bucket ${bucket}`;
  return [
    ['1. distilled at least as good as plain, full precision', of('distilled') >= of('plain')],
    [
      '2. with 2 bits near chance after training, QD and DQ within 10 points of full precision',
      of(after(2, 256)) < 20 && of('QD, 2 bits') > full - 10 && of('DQ, 2 bits') > full - 10,
    ],
    [
      '3. with 4 bits buckets far better than none after training; QD, DQ and full precision equal',
      of(after(4, 256)) > of(after(4, 'tensor')) + 5 &&
        full - of('QD, 4 bits') <= EQUAL &&
        full - of('DQ, 4 bits') <= EQUAL,
    ],
    [
      '4. with 8 bits nothing matters',
      equal(after(8, 'tensor'), 'distilled') && equal('QD, 8 bits', 'further, no quantization'),
    ],
    ['5. with 2 bits QD at least as good as DQ', of('QD, 2 bits') >= of('DQ, 2 bits')],
    [
      '6. QD at least as good as quantized training with labels alone',
      [2, 4].every((bits) => of(`QD, ${bits} bits`) >= of(`straight-through, labels alone, ${bits} bits`)),
    ],
    ...BITS.map((bits): readonly [string, boolean] => [
      `with ${bits} bits DeepTwist, distilled, at least as good as QD`,
      of(`DeepTwist, distilled, ${bits} bits`) >= of(`QD, ${bits} bits`),
    ]),
  ];
}

async function measure(keep: string, seeds: number): Promise<Result[]> {
  await runExperiments([teacherRun], { keep });
  const series = new Series(keep, seeds);
  const rows = new Map<string, number[]>();
  const measureRow = async (name: string, runOf: (seed: number) => ExperimentRun) =>
    rows.set(name, await series.accuracies(runOf));
  await measureRow('plain', (seed) => series.plain(false, seed));
  await measureRow('distilled', (seed) => series.plain(true, seed));
  for (const bits of BITS)
    for (const bucket of ['tensor', 256])
      await measureRow(`after training, ${bits} bits, bucket ${bucket}`, (seed) =>
        series.afterTraining(bits, bucket, seed),
      );
  for (const way of ways) {
    const rate = await series.search(way);
    for (const bits of way.bits) {
      const name = `${way.name}, ${bits} bits`;
      await measureRow(name, (seed) => series.further({ ...way, name }, way.compression(bits), rate, seed));
    }
    if (way.name !== 'QD') continue;
    const control = { name: 'further, no quantization', distilled: true };
    await measureRow(control.name, (seed) => series.further(control, null, rate, seed));
  }
  console.log('\n| student | accuracy, % (seeds) | mean ± deviation |\n| --- | --- | --- |');
  for (const [name, values] of rows) {
    const { mean, deviation } = spread(values);
    const each = values.map((value) => value.toFixed(2)).join(', ');
    console.log(`| ${name} | ${each} | ${mean.toFixed(2)} ± ${deviation.toFixed(2)} |`);
  }
  const means = new Map([...rows].map(([name, values]) => [name, spread(values).mean]));
  const found = orderings(means);
  console.log('');
  for (const [claim, seen] of found) console.log(`${seen ? 'seen' : 'not seen'}: ${claim}`);
  return [...means].map(([name, mean]) => ({
    case: name,
    rival: 'further, no quantization',
    threads: 1,
    ours: mean,
    theirs: means.get('further, no quantization')!,
    unit: '%',
    ratio: mean / means.get('further, no quantization')!,
    target: 1,
  }));
}

export default {
  options: { seeds: { type: 'string', default: '3' }, keep: { type: 'string' } },
  run: ({ seeds, keep }) => withKeptFolder(keep, (folder) => measure(folder, Number(seeds))),
} satisfies Benchmark;
