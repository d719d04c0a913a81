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

/** All weights quantized by a policy that does so at each step. */
function quantization(
  name: string,
  limit: number,
  policy: string,
  parameters: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, unknown>> = {},
): Row {
  const compression = { method: 'quantize', policy, distortEvery: 1, layers: { '*': parameters }, ...settings };
  return { name, limit, step: { compression } };
}

const rows: readonly Row[] = [
  {
    name: 'a teacher of the same size',
    limit: 45,
    step: { distillation: { teacher: MODEL, temperature: 2, weight: 0.7 } },
  },
  quantization('uniform levels of all weights, straight-through', 15, 'straight-through', {
    levels: 'uniform',
    bits: 4,
  }),
  quantization(
    'the same with the gradient of the scales',
    15,
    'straight-through',
    { levels: 'uniform', bits: 4 },
    { straightThrough: { gradient: 'exact-scale' } },
  ),
  quantization('trained points of all weights', 20, 'points', { levels: 'points', bits: 4, iterations: 0 }),
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
  options: { rounds: { type: 'string', default: '31' }, case: { type: 'string', default: '' } },
  async run({ rounds, case: chosen }) {
    const measured = rows.filter(({ name }) => name.includes(String(chosen)));
    const batches = writeImages(40, 50);
    const results = await measureAll(
      measured.map(({ name, limit, step }) => ({
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
      beside(measured[i].limit, `${name}, more than a plain step`, 100 * (ours / theirs - 1), '%'),
    );
    return chosen === '' ? [...added, ...(await proximalShares(results[0].theirs))] : added;
  },
} satisfies Benchmark;
