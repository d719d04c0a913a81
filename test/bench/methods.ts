/**
 * @file What a method adds to a training step (forward, backward, Adam; LeNet-5, batch 50, one thread): steps with it and plain ones in
 * turn, each side a process of its own. To add one: a row. Proximal steps come once an epoch: they are timed by themselves.
 */
import { writeImages, type Batches } from './batches.ts';
import { beside, measureAll, type Benchmark, type Limited } from './bench.ts';
import type { OurStepOptions } from './contenders/openOurStep.ts';
import { startOurs } from './ours.ts';
import { proximalShares } from './proximalShares.ts';

interface Row {
  readonly name: string;
  /** The most that it may add, in % of a plain step. */
  readonly limit: number;
  /** What the step has beside a plain one. */
  readonly step: Partial<OurStepOptions>;
}

const MODEL = 'builtin:lenet-5';

const rows: readonly Row[] = [
  {
    name: 'a teacher of the same size',
    limit: 45,
    step: { distillation: { teacher: MODEL, temperature: 2, weight: 0.7 } },
  },
];

/** Steps of a round: a quarter of a second, about. */
const STEPS = 20;

const plain = (batches: Batches): OurStepOptions => ({
  model: MODEL,
  training: { optimizer: { type: 'adam' } },
  batches,
  threads: 1,
  executor: 'compiled',
});

export default {
  options: { rounds: { type: 'string', default: '31' } },
  async run({ rounds }) {
    const batches = writeImages(40, 50);
    const results = await measureAll(
      rows.map(({ name, limit, step }) => ({
        name,
        threads: 1,
        unit: 'ms/step',
        better: 'lower',
        target: 1 / (1 + limit / 100),
        rounds: Number(rounds),
        ours: () => startOurs({ ...plain(batches), ...step }, { steps: STEPS, name: `with ${name}` }),
        rivals: [() => startOurs(plain(batches), { steps: STEPS, name: 'plain' })],
      })),
    );
    const added = results.map(({ case: name, ours, theirs }, i): Limited =>
      beside(rows[i].limit, `${name}, more than a plain step`, 100 * (ours / theirs - 1), '%'),
    );
    return [...added, ...(await proximalShares(results[0].theirs))];
  },
} satisfies Benchmark;
