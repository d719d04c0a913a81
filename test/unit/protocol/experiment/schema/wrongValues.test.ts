/** @file Every setting of a compression and of a distillation refuses what it cannot be, in one message at its place. */
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { checkExperiment } from '../../../../../server/protocol/experiment/parseExperiment.ts';
import { compressionSchemas } from '../../../../../server/protocol/experiment/schema/compression.ts';
import { distillation } from '../../../../../server/protocol/experiment/schema/distillation.ts';

/** A value of a setting, and what is told of it: `expected WHAT`. */
type WrongValue = readonly [setting: string, value: unknown, expected: string];

const policies =
  "'deeptwist', 'gradual-mask', 'dynamic-surgery', 'rigl', 'variational-dropout', 'one-shot', 'factors', 'straight-through', 'points' or 'alternating-points'";
const when: readonly WrongValue[] = [
  ['policy', 'mask', policies],
  ['distortEvery', 0, 'a positive integer'],
  ['distortEvery', 2.5, 'a positive integer'],
  ['unit', 'minutes', "'steps' or 'epochs'"],
  ['schedule', 5, 'an object'],
  ['schedule.from', -1, 'an integer of at least 0'],
  ['schedule.unit', 'minutes', "'steps' or 'epochs'"],
];

/** `LAYER` stands for the parameters of a layer. */
const compressions: Readonly<Record<string, readonly [valid: object, wrong: readonly WrongValue[]]>> = {
  prune: [
    { method: 'prune', distortEvery: 5, layers: { fc1: { rate: 0.5 } } },
    [
      ...when,
      ['scope', 'all', "'layer' or 'model'"],
      ['criterion', 'size', "'magnitude', 'movement' or 'taylor'"],
      ['schedule.to', 0, 'a positive integer'],
      ['schedule.initialRate', 1, 'a number in [0, 1)'],
      ['schedule.exponent', 0, 'a positive number'],
      ['LAYER.rate', 1, 'a number in [0, 1)'],
      ['LAYER.rate', '0.5', 'a number in [0, 1)'],
      ['LAYER.pattern', 'row', "'element', 'block' or 'unit' or N:M as in '2:4'"],
      ['LAYER.block', [4], 'a list of 2 numbers'],
      ['LAYER.block[1]', 0, 'a positive integer'],
    ],
  ],
  'dynamic-surgery': [
    { method: 'prune', policy: 'dynamic-surgery', distortEvery: 5, layers: { fc1: { rate: 0.5 } } },
    [
      ['surgery', true, 'an object'],
      ['surgery.gamma', -1, 'a number of at least 0'],
      ['surgery.power', -1, 'a number of at least 0'],
    ],
  ],
  rigl: [
    { method: 'prune', policy: 'rigl', distortEvery: 5, layers: { fc1: { rate: 0.5 } } },
    [
      ['regrowth', 0.3, 'an object'],
      ['regrowth.fraction', 1, 'a number in [0, 1)'],
    ],
  ],
  'variational-dropout': [
    { method: 'prune', policy: 'variational-dropout', distortEvery: 5, layers: { fc1: {} } },
    [
      ['variationalDropout', -8, 'an object'],
      ['variationalDropout.logVariance', 1, 'a number in [-20, 0]'],
      ['variationalDropout.threshold', 9, 'a number in [-8, 8]'],
    ],
  ],
  'binary codes': [
    { method: 'quantize', distortEvery: 5, layers: { fc1: { bits: 2 } } },
    [
      ...when,
      ['LAYER.levels', 'equal', "'binary', 'uniform', 'points', 'fixed-point' or 'power-of-two'"],
      ['LAYER.bits', 0, 'an integer from 1 to 8'],
      ['LAYER.algorithm', 'best', "'greedy', 'refined' or 'alternating'"],
      ['LAYER.scales', 'tensor', "'row' or 'matrix'"],
      ['LAYER.iterations', 0, 'a positive integer'],
    ],
  ],
  'uniform levels': [
    {
      method: 'quantize',
      policy: 'straight-through',
      distortEvery: 5,
      layers: { fc1: { levels: 'uniform', bits: 8 } },
    },
    [
      ['LAYER.bits', 9, 'an integer from 1 to 8'],
      ['LAYER.points', 1, 'an integer from 2 to 256'],
      ['LAYER.points', 257, 'an integer from 2 to 256'],
      ['LAYER.bucket', 0, "a positive integer or 'row' or 'tensor'"],
      ['LAYER.bucket', 'none', "a positive integer or 'row' or 'tensor'"],
      ['LAYER.symmetric', 1, 'true or false'],
      ['LAYER.rounding', 'up', "'nearest' or 'stochastic'"],
      ['straightThrough', 2, 'an object'],
      ['straightThrough.every', 0, 'a positive integer'],
      ['straightThrough.gradient', 'exact', "'plain' or 'exact-scale'"],
    ],
  ],
  points: [
    { method: 'quantize', policy: 'points', distortEvery: 5, layers: { fc1: { levels: 'points', bits: 8 } } },
    [
      ['LAYER.bits', 0, 'an integer from 1 to 8'],
      ['LAYER.points', 1, 'an integer from 2 to 256'],
      ['LAYER.bucket', -1, "a positive integer or 'row', 'tensor' or 'none'"],
      ['LAYER.start', 'linear', "'quantiles', 'uniform' or 'random'"],
      ['LAYER.iterations', -1, 'an integer of at least 0'],
      ['pointsByGradient', 5, 'an object'],
      ['pointsByGradient.steps', 0, 'a positive integer'],
    ],
  ],
  'fixed-point numbers': [
    { method: 'quantize', distortEvery: 5, layers: { fc1: { levels: 'fixed-point', bits: 8 } } },
    [
      ['LAYER.bits', 1, 'an integer from 2 to 8'],
      ['LAYER.fractionBits', 65, 'an integer from -64 to 64'],
      ['LAYER.rounding', 'down', "'nearest' or 'stochastic'"],
    ],
  ],
  'powers of two': [
    { method: 'quantize', distortEvery: 5, layers: { fc1: { levels: 'power-of-two', bits: 4 } } },
    [['LAYER.bits', 1, 'an integer from 2 to 8']],
  ],
  'low-rank': [
    { method: 'low-rank', distortEvery: 5, layers: { fc1: { rank: 3 } } },
    [
      ...when,
      ['LAYER.rank', 0, 'a positive integer'],
      ['LAYER.rank', 2.5, 'a positive integer'],
      ['LAYER.sharedProjection', 'yes', 'true or false'],
    ],
  ],
  'nuclear-norm': [
    { method: 'nuclear-norm', layers: { fc1: { tau: 1 } } },
    [
      ...when,
      ['threshold', 'lambda', "'lr*tau' or 'tau'"],
      ['energy', 0, 'a number in (0, 1]'],
      ['energy', 1.1, 'a number in (0, 1]'],
      ['energyOf', 'cubes', "'values' or 'squares'"],
      ['LAYER.tau', -1, 'a number of at least 0'],
    ],
  ],
  'group-lasso': [
    { method: 'group-lasso', layers: { fc1: { lambda: 1 } } },
    [
      ...when,
      ['threshold', 'tau', "'lr*lambda' or 'lambda'"],
      ['LAYER.lambda', '1', 'a number of at least 0'],
      ['LAYER.alpha', 1.1, 'a number in [0, 1]'],
    ],
  ],
  custom: [
    { method: 'custom', distortEvery: 5, module: './distort.ts', layers: { fc1: {} } },
    [...when, ['module', '', 'a non-empty string'], ['LAYER', 5, 'an object']],
  ],
};

const distillations: readonly WrongValue[] = [
  ['teacher', 7, 'a non-empty string or an object'],
  ['teacher', '', 'a non-empty string or an object'],
  ['temperature', 0, 'a positive number'],
  ['weight', 1.1, 'a number in [0, 1]'],
  ['ask', 'never', "'always', 'when-wrong' or 'by-entropy' or an object"],
  ['ask.entropyAbove', -1, 'a number of at least 0'],
  ['reduction', 'sum', "'batchmean' or 'as-published'"],
];

/** A copy of `settings` with a value at `a.b[1]`. */
function withValue(settings: object, setting: string, value: unknown): object {
  const copy = structuredClone(settings);
  const names = setting.replace(/\[(\d)\]/g, '.$1').split('.');
  let at = copy as Record<string, unknown>;
  names.forEach((name, i) => {
    const isList = /^\d$/.test(names[i + 1] ?? '');
    at[name] = i === names.length - 1 ? value : (at[name] ?? (isList ? [2, 2] : {}));
    at = at[name] as Record<string, unknown>;
  });
  return copy;
}

/** The problems of an experiment with this section. */
function problemsOf(section: object): { readonly path: string; readonly message: string }[] {
  const text = JSON.stringify({
    model: 'builtin:lenet-300-100',
    data: { type: 'mnist', path: './data' },
    training: { optimizer: { type: 'sgd', learningRate: 0.1 }, batchSize: 10, epochs: 100 },
    ...section,
  });
  return checkExperiment(text).problems.map(({ path, message }) => ({ path, message }));
}

/** Settings of a schema, each by the names that lead to it. */
function settingsOf(schema: z.core.JSONSchema.JSONSchema, name = ''): string[] {
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((member) => settingsOf(member, name));
  const properties = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    settingsOf(value as z.core.JSONSchema.JSONSchema, name === '' ? key : `${name}.${key}`),
  );
  const { additionalProperties } = schema;
  const key = name === 'layers' ? 'LAYER' : `${name}.NAME`;
  const named = typeof additionalProperties === 'object' ? settingsOf(additionalProperties, key) : [];
  return [name, ...inner, ...properties, ...named];
}

describe.each(Object.entries(compressions))('%s', (_, [valid, wrong]) => {
  test('has no problem as it is', () => {
    expect(problemsOf({ compression: valid })).toEqual([]);
  });

  test.each(wrong)('refuses as %s: %j', (setting, value, expected) => {
    const place = setting.replace('LAYER', 'layers.fc1');
    // A schedule of pruning needs its end.
    const isOfPruning = setting.startsWith('schedule.') && 'method' in valid && valid.method === 'prune';
    const scheduled = isOfPruning ? { ...valid, schedule: { to: 20 } } : valid;
    // Blocks are those of one pattern.
    const base = setting.startsWith('LAYER.block') ? withValue(valid, 'layers.fc1.pattern', 'block') : scheduled;
    const problems = problemsOf({ compression: withValue(base, place, value) });
    expect(problems.map(({ path }) => path)).toEqual([`compression.${place}`]);
    expect(problems[0].message).toMatch(`expected ${expected}, got `);
  });
});

describe('a distillation', () => {
  test.each(distillations)('refuses as %s: %j', (setting, value, expected) => {
    const problems = problemsOf({ distillation: withValue({ teacher: 'run:base' }, setting, value) });
    expect(problems.map(({ path }) => path)).toEqual([`distillation.${setting}`]);
    expect(problems[0].message).toMatch(`expected ${expected}, got `);
  });
});

test('no setting of a compression or a distillation is without a wrong value above', () => {
  const tried = (wrong: readonly WrongValue[]) => wrong.map(([setting]) => setting);
  const missing = Object.entries(compressionSchemas).flatMap(([method, schema]) => {
    const own = Object.values(compressions).filter(([valid]) => 'method' in valid && valid.method === method);
    const names = new Set(own.flatMap(([, wrong]) => tried(wrong)));
    const settings = settingsOf(z.toJSONSchema(schema, { io: 'input' }));
    // What a module calls the parameters of its own distortion may be anything.
    const any = ['', 'method', 'layers', 'LAYER', 'LAYER.NAME'];
    return settings.filter((setting) => !any.includes(setting) && !names.has(setting));
  });
  const names = new Set(['', ...tried(distillations)]);
  const ofDistillation = settingsOf(z.toJSONSchema(distillation, { io: 'input' })).filter((name) => !names.has(name));
  // What is a model and where its weights are is told where they are opened.
  expect([...missing, ...ofDistillation.filter((name) => !name.startsWith('teacher.'))]).toEqual([]);
});
