import { describe, expect, test } from 'vitest';
import { checkExperiment, parseExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';
import { checkWithSweep } from '../../../../server/protocol/experiment/checkSweep.ts';
import { formatProblem } from '../../../../server/protocol/experiment/problem.ts';
import { bytesOf } from '../../../../server/protocol/experiment/schema/target.ts';

interface Parts {
  target?: unknown;
  compression?: unknown;
  more?: Readonly<Record<string, unknown>>;
}

const prune = { method: 'prune', distortEvery: 10, layers: { '*': {} } };

/** An experiment whose `target` is in line 6, and whose `compression` is in line 5. */
function experimentWith({ target = { ratio: 20 }, compression = prune, more = {} }: Parts = {}): string {
  const lines = [
    '"model": "builtin:lenet-300-100"',
    '"data": { "type": "mnist", "path": "./mnist", "validation": 5000 }',
    '"training": { "optimizer": { "type": "adam" }, "batchSize": 50, "steps": 2000 }',
    ...(compression === null ? [] : [`"compression": ${JSON.stringify(compression)}`]),
    `"target": ${JSON.stringify(target)}`,
    ...Object.entries(more).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`),
  ];
  return `{\n  ${lines.join(',\n  ')}\n}`;
}

const problemsOf = (parts: Parts) =>
  checkWithSweep(experimentWith(parts)).problems.map((problem) => formatProblem('x', problem));

describe('a target', () => {
  test.each([
    ['a ratio', { ratio: 20 }],
    ['bytes', { bytes: 24000 }],
    ['bytes in words', { bytes: '24 kB', maxDrop: 0.005, split: 'validation' }],
    ['a drop alone', { maxDrop: 0 }],
    ['bounds', { maxDrop: 0.01, bounds: { rate: [0.5, 0.99] } }],
  ])('can say %s, and rates are then left out', (_, target) => {
    expect(problemsOf({ target })).toEqual([]);
  });

  test.each([
    ['nothing', {}, 'x:6:3 target: missing: expected "bytes", "ratio" or "maxDrop", or a size and "maxDrop"'],
    [
      'two sizes',
      { bytes: 100, ratio: 2 },
      'x:6:26 target.ratio: "bytes" says the size already; leave one of them out',
    ],
    [
      'a size in other words',
      { bytes: '24 pages' },
      "target.bytes: expected a positive number or a size as in '24 kB'",
    ],
    ['no size at all', { bytes: '0 kB' }, "target.bytes: expected a size as in '24 kB', got '0 kB'"],
    ['what makes nothing smaller', { ratio: 1 }, 'target.ratio: expected a number above 1, got 1'],
    ['a drop below 0', { maxDrop: -0.1 }, 'target.maxDrop: expected a number of at least 0, got -0.1'],
    ['the test split', { ratio: 2, split: 'test' }, 'target.split: expected'],
    [
      'bounds the wrong way round',
      { ratio: 2, bounds: { bits: [8, 2] } },
      'target.bounds.bits: expected the lesser value first, got [8, 2]',
    ],
    [
      'bounds of what is no rate',
      { ratio: 2, bounds: { rate: [0, 1] } },
      'target.bounds.rate[1]: expected a number in [0, 1), got 1',
    ],
    ['a setting that there is not', { ratios: 2 }, 'target.ratios: unknown setting; did you mean "ratio"?'],
  ])('cannot say %s', (_, target, message) => {
    const problems = problemsOf({ target });
    expect(problems.join('\n')).toContain(message);
  });

  test.each([
    ['no compression', null, 'x:5:3 target: there is no "compression" to reach it by'],
    [
      'one threshold for all layers',
      { ...prune, scope: 'model' },
      'compression.scope: a "target" gives each layer a value of its own',
    ],
    [
      'a shared projection',
      { method: 'low-rank', distortEvery: 10, layers: { 'lstm*': { sharedProjection: true } } },
      'compression.layers.lstm*.sharedProjection: a "target" gives each layer a value of its own',
    ],
    [
      'what is as small as training makes it',
      [prune, { method: 'group-lasso', layers: { fc1: { lambda: 0.1 } } }],
      'compression[1].method: beside a "target" that leaves settings open: what "group-lasso" leaves is known only when it has trained',
    ],
  ])('does not go with %s', (_, compression, message) => {
    expect(problemsOf({ compression }).join('\n')).toContain(message);
  });

  test('does not go with a sweep, whose runs need values', () => {
    const [problem] = problemsOf({ more: { sweep: { vary: { 'training.seed': [1, 2] } } } });
    expect(problem).toContain('sweep: the runs of a sweep need the values that "target" leaves open');
  });

  test('lets nothing be left out where there is none', () => {
    const { problems } = checkExperiment(experimentWith(), ['target=null']);
    expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'compression.layers.*.rate: missing: expected a number in [0, 1)',
    ]);
  });

  test('leaves other mistakes where they are', () => {
    expect(problemsOf({ compression: { ...prune, distortEvery: 0 } })).toEqual([
      expect.stringContaining('compression.distortEvery: expected a positive integer, got 0'),
    ]);
  });
});

describe('a run of a file that leaves settings open', () => {
  test('is refused with the command that finds them', () => {
    const compression = [
      { ...prune, layers: { '*': {}, fc3: { rate: 0.5 } } },
      { method: 'quantize', distortEvery: 100, layers: { '*': {} } },
    ];
    expect(() => parseExperiment(experimentWith({ compression }), { file: 'x' })).toThrow(
      'x:6:3 target: it is to be reached first: compression[0].layers.*.rate and 1 more have no value yet. `deeptwist search FILE` finds them',
    );
  });

  test('is none where all have their values', () => {
    const given = { ...prune, layers: { '*': { rate: 0.9 }, fc1: { pattern: '2:4' } } };
    expect(parseExperiment(experimentWith({ compression: given }), { file: 'x' }).target).toEqual({
      ratio: 20,
      split: 'validation',
    });
    expect(problemsOf({ compression: given, more: { sweep: { vary: { 'training.seed': [1, 2] } } } })).toEqual([]);
  });
});

test('sizes are read as they are written', () => {
  expect(['24 kB', '1.5MB', '12 KiB', '100 B', 7, 'kB', '-1 kB', '1e3 B'].map(bytesOf)).toEqual([
    24_000,
    1_500_000,
    12_288,
    100,
    7,
    ...[undefined, undefined, undefined],
  ]);
});
