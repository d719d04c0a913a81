/** @file A report on three layers, as `deeptwist sensitivity` prints it: rates for all, ranks of their own for each. */
import type { SensitivityCell, SensitivityReport } from '../../../../server/protocol/run/sensitivityReport.ts';
import type { Method } from '../../../../server/protocol/experiment/schema.ts';

const weights = [
  { name: 'fc1/kernel', key: 'fc1', shape: [784, 300], weights: 235_200, bytes: 940_800 },
  { name: 'fc2/kernel', key: 'fc2', shape: [300, 100], weights: 30_000, bytes: 120_000 },
  { name: 'fc3/kernel', key: 'fc3', shape: [100, 10], weights: 1000, bytes: 4000 },
];
const ranks: Readonly<Record<string, readonly number[]>> = {
  'fc1/kernel': [100, 54, 27],
  'fc2/kernel': [38, 19, 9],
  'fc3/kernel': [4, 2],
};
/** Names of methods stand in their rows of facts; here they are only carried along. */
const [byRate, byRank] = ['prune', 'low-rank'] as Method[];

function cell(
  weight: string,
  method: Method,
  parameter: string,
  setting: number,
  drop: number | null,
  bytes: number,
): SensitivityCell {
  // prettier-ignore
  return { weight, method, parameter, setting, drop, bytes, value: drop === null ? null : 0.98 - drop, loss: 1, error: 0.1 };
}

export function sensitivityReport(changes: Partial<SensitivityReport> = {}): SensitivityReport {
  const cells = weights.flatMap(({ name, bytes }, i) => [
    ...[0.5, 0.8, 0.9, 0.99].map((rate, j) =>
      cell(
        name,
        byRate,
        'rate',
        rate,
        i === 2 && j === 3 ? null : 0.001 * 5 ** j - 0.0015,
        Math.round(bytes * (1 - rate)),
      ),
    ),
    ...ranks[name].map((rank, j) => cell(name, byRank, 'rank', rank, 0.0004 * 9 ** j, (bytes * rank) / 400)),
  ]);
  return {
    run: '20261129-120000-lenet',
    experiment: '/w/lenet.deeptwist.jsonc',
    weightsAre: 'final',
    split: 'validation',
    samples: 5000,
    metric: 'accuracy',
    value: 0.98,
    loss: 0.1,
    bytes: 1_064_800,
    weights,
    cells,
    suggestion: {
      maxDrop: 0.005,
      layers: [
        {
          weight: 'fc1/kernel',
          key: 'fc1',
          method: byRate,
          parameter: 'rate',
          setting: 0.8,
          drop: 0.0035,
          bytes: 188_160,
        },
        { weight: 'fc3/kernel', key: 'fc3', method: byRank, parameter: 'rank', setting: 2, drop: 0.0036, bytes: 20 },
      ],
      sumOfDrops: 0.0071,
      drops: [0.0062, 0.0044],
      drop: 0.0044,
      value: 0.9756,
      bytes: 310_000,
      compression: { method: byRate, distortEvery: 100, layers: { fc1: { rate: 0.8 } } },
    },
    evaluations: 21,
    warnings: [],
    ...changes,
  };
}
