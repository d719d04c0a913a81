/** @file How far each method can go: the networks of Table 1 of the DeepTwist paper at higher and higher ratios. */
import { markdownTable } from './markdownTable.ts';
import {
  DEEPTWIST,
  DENSE,
  denseCase,
  lenet300,
  lenet300At62,
  lenet5,
  lenet5At108,
  MASKS,
  prunedCase,
  SURGERY,
  type Network,
  type Rates,
} from './mnistPruning.ts';
import { ratioOf, type Outcomes } from './outcomes.ts';
import { curve, levelOf, placeOf } from './pictures.ts';
import type { Case, Figure, Study } from './study.ts';
import { reaches } from './verdict.ts';

const RIVALS = [DEEPTWIST, MASKS, SURGERY];

interface Ladder {
  readonly network: Network;
  /** The first rung, at which the settings are chosen. */
  readonly first: Case;
  readonly higher: Readonly<Record<string, Rates>>;
  /** The accuracy that Dynamic Network Surgery was published with: a rung is held where it is reached. */
  readonly asked: number;
}

/** The rates of the second rung of LeNet-300-100 and of the third of LeNet-5 are those of docs/results.md; the others go on in their direction. */
const ladders: readonly Ladder[] = [
  {
    network: lenet300,
    first: lenet300At62,
    higher: {
      '80x': { fc1: 0.99, fc2: 0.977, fc3: 0.7 },
      '100x': { fc1: 0.9925, fc2: 0.9785, fc3: 0.745 },
      '130x': { fc1: 0.9942, fc2: 0.984, fc3: 0.79 },
      '160x': { fc1: 0.9954, fc2: 0.988, fc3: 0.78 },
    },
    asked: 0.9801,
  },
  {
    network: lenet5,
    first: lenet5At108,
    higher: {
      '150x': { conv1: 0.65, conv2: 0.968, fc1: 0.9959, fc2: 0.95 },
      '193x': { conv1: 0.7, conv2: 0.975, fc1: 0.997, fc2: 0.95 },
      '281x': { conv1: 0.7, conv2: 0.98, fc1: 0.9983, fc2: 0.96 },
    },
    asked: 0.9909,
  },
];

const rungsOf = ({ network, first, higher }: Ladder): Case[] =>
  Object.entries(higher).map(([ratio, rates]) =>
    prunedCase(network, ratio, rates, { rivals: RIVALS, tries: { of: first } }),
  );

/** The mean of the runs of a rival at each rung that has any. */
function placesOf(ladder: Ladder, rival: string, outcomes: Outcomes) {
  return [ladder.first, ...rungsOf(ladder)].flatMap(({ name }) => {
    const outcome = outcomes.of(name, rival);
    return placeOf(outcome, ratioOf(outcome));
  });
}

const pictureOf = (ladder: Ladder): Figure => ({
  name: `highest-ratio-${ladder.network.name.toLowerCase()}`,
  title: `${ladder.network.name}: test accuracy over the ratio`,
  content: (outcomes) => {
    const rungs = rungsOf(ladder);
    if (!rungs.some(({ name }) => outcomes.of(name, DEEPTWIST.name).runs.size > 0)) return undefined;
    return {
      x: { label: 'weights / weights kept', scale: 'log' },
      y: { label: 'test accuracy (%), mean and 95% interval' },
      series: RIVALS.flatMap(({ name }, color) => curve(name, color, placesOf(ladder, name, outcomes))),
      references: [
        { axis: 'y', value: 100 * ladder.asked, label: 'published: dynamic network surgery' },
        ...levelOf(outcomes.of(denseCase(ladder.network).name, DENSE.name)),
      ],
    };
  },
});

/** The highest rung up to which all are held; undefined where a rung below was not trained. */
function highestHeld(ladder: Ladder, rival: string, outcomes: Outcomes): string {
  let held = 'none';
  for (const { name } of [ladder.first, ...rungsOf(ladder)]) {
    const { verdict } = reaches({ case: name, rival }, ladder.asked)(outcomes);
    if (verdict === 'not tested') return `${held} so far`;
    if (verdict === 'not seen') return held;
    held = name.replace(`${ladder.network.name} at `, '');
  }
  return `${held} or more`;
}

export const highestRatio: Study = {
  name: 'highest-ratio',
  title: 'The highest ratio that each method holds',
  introduction: [
    'The networks of [mnist-pruning](mnist-pruning.md) with fewer and fewer weights, with the settings that were chosen there for each method: nothing is tried here. A ratio is _held_ ' +
      'where the accuracy is as good as that with which Dynamic Network Surgery was published (98.01% and 99.09%), by the rule of [what holds](what-holds.md), there and at all lower ratios.',
  ],
  cases: ladders.flatMap(rungsOf),
  figures: ladders.map(pictureOf),
  conclusion: (outcomes) => [
    '## Highest ratio held',
    '',
    ...markdownTable(
      ['', ...ladders.map(({ network, asked }) => `${network.name}, ${(100 * asked).toFixed(2)}%`)],
      RIVALS.map(({ name }) => [name, ...ladders.map((ladder) => highestHeld(ladder, name, outcomes))]),
    ),
  ],
};
