import { describe, expect, test } from 'vitest';
import {
  assignTargets,
  LayerKeys,
  matchTargets,
  type CompressibleWeight,
} from '../../../../server/compression/targets/targets.ts';
import { ExitCode, UserError } from '../../../../server/protocol/userError.ts';
import { processorTime } from '../../processorTime.ts';

function weight(name: string, shape: number[]): CompressibleWeight {
  const [layer, own] = name.split('/');
  return { name, layer, weight: own, shape, values: new Float32Array(shape.reduce((a, b) => a * b)) };
}

const model = [
  weight('embedding/embeddings', [10, 4]),
  weight('lstm/kernel', [4, 16]),
  weight('lstm/recurrent_kernel', [4, 16]),
  weight('lstm/bias', [16]),
  weight('norm/gamma', [4]),
  weight('fc1/kernel', [4, 8]),
  weight('fc1/bias', [8]),
  weight('fc2/kernel', [8, 2]),
];

const matched = <P>(layers: Record<string, P>) =>
  Object.fromEntries(matchTargets(layers, model).map(({ weight, parameters }) => [weight.name, parameters]));

function errorOf(layers: Record<string, unknown>): UserError {
  try {
    matchTargets(layers, model);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('Expected a UserError.');
}

test('a layer stands for all its matrices and leaves its biases alone', () => {
  expect(matched({ lstm: 1, fc1: 2 })).toEqual({ 'lstm/kernel': 1, 'lstm/recurrent_kernel': 1, 'fc1/kernel': 2 });
});

test('biases in two rows, as a GRU of Keras has them, are no matrix', () => {
  const gru = [weight('gru/kernel', [3, 12]), weight('gru/bias', [2, 12])];
  expect(matchTargets({ gru: 1 }, gru).map((match) => match.weight.name)).toEqual(['gru/kernel']);
});

test('a glob matches layers, or weights where it has a slash', () => {
  expect(matched({ 'fc*': 1 })).toEqual({ 'fc1/kernel': 1, 'fc2/kernel': 1 });
  expect(Object.keys(matched({ '*/kernel': 1 }))).toEqual(['lstm/kernel', 'fc1/kernel', 'fc2/kernel']);
});

test('a star stands for layers inside of wrappers and nested models, too, and without a slash for layers alone', () => {
  const nested = ['td/logits', 'encoder/block/fc1', 'fc1'].map((layer) => ({
    ...weight(`${layer}/kernel`, [2, 2]),
    layer,
  }));
  const matchedBy = (key: string) => new LayerKeys(nested).named(key).map(({ layer }) => layer);
  expect(matchedBy('*')).toEqual(['td/logits', 'encoder/block/fc1', 'fc1']);
  expect(matchedBy('*fc1')).toEqual(['encoder/block/fc1', 'fc1']);
  expect(matchedBy('*/kernel')).toEqual(['td/logits', 'encoder/block/fc1', 'fc1']);
  expect(matchedBy('encoder/*')).toEqual(['encoder/block/fc1']);
  expect(matchedBy('*el')).toEqual([]);
});

test("a weight's own name wins over its layer's, and that over a glob, whatever their order", () => {
  const layers = { '*': 'glob', 'lstm/kernel': 'weight', lstm: 'layer' };
  expect(matched(layers)).toEqual({
    'embedding/embeddings': 'glob',
    'lstm/kernel': 'weight',
    'lstm/recurrent_kernel': 'layer',
    'fc1/kernel': 'glob',
    'fc2/kernel': 'glob',
  });
});

test('what keys name is told without an error: nothing, vectors alone, and two globs that contradict one another', () => {
  const keys = new LayerKeys(model);
  expect(keys.named('fc11')).toEqual([]);
  expect(keys.named('norm').map(({ name }) => name)).toEqual(['norm/gamma']);
  const closest = keys.closest(['f*', '*1', 'fc2', 'norm', 'fc2/kernel']);
  expect(Array.from(closest, ([{ name }, patterns]) => [name, patterns])).toEqual([
    ['fc1/kernel', ['f*', '*1']],
    ['fc2/kernel', ['fc2/kernel']],
  ]);
});

describe('the names of PyTorch', () => {
  const names = [
    'embedding.weight',
    ...['layer1.0.conv1', 'layer1.0.conv2', 'layer1.1.conv1', 'layer10.conv1'].map((layer) => `${layer}.weight`),
    'rnn.weight_ih_l0',
    'rnn.weight_hh_l0',
    'attention.in_proj_weight',
    'attention.out_proj.weight',
  ];
  const ofPytorch = names.map((name): CompressibleWeight => {
    const dot = name.lastIndexOf('.');
    return { ...weight('x/y', [4, 4]), name, layer: name.slice(0, dot), weight: name.slice(dot + 1) };
  });
  const matchedBy = (key: string) => new LayerKeys(ofPytorch).named(key).map(({ name }) => name);
  const problemOf = (key: string) => assignTargets({ [key]: 1 }, ofPytorch).problems[0];

  test('are matched by globs of weights, of layers, and of the modules that these are in', () => {
    expect(matchedBy('rnn.weight_*')).toEqual(['rnn.weight_ih_l0', 'rnn.weight_hh_l0']);
    expect(matchedBy('rnn.weight_ih_l?')).toEqual(['rnn.weight_ih_l0']);
    expect(matchedBy('rnn')).toEqual(matchedBy('rnn.*'));
    expect(matchedBy('layer1.*')).toEqual(names.slice(1, 4));
    expect(matchedBy('layer1.*.conv1')).toEqual(['layer1.0.conv1.weight', 'layer1.1.conv1.weight']);
    expect(matchedBy('layer1.[0-1].conv1.weight')).toEqual(['layer1.0.conv1.weight', 'layer1.1.conv1.weight']);
    expect(matchedBy('*.weight')).toEqual(names.filter((name) => name.endsWith('.weight')));
  });

  test('are matched in a module that has weights of its own and others inside', () => {
    expect(matchedBy('attention.*')).toEqual(['attention.in_proj_weight', 'attention.out_proj.weight']);
  });

  test('are no reason to compare the dots of a name with a slash behind them', () => {
    const dotted = { ...weight('x/y', [4, 4]), name: 'block.1/kernel', layer: 'block.1', weight: 'kernel' };
    const named = (key: string) => new LayerKeys([dotted]).named(key).length;
    expect([named('block.*'), named('block.*/kernel'), named('block.1k*'), named('*.kernel')]).toEqual([1, 1, 0, 0]);
  });

  test('are suggested: the layers inside a module, those near a name, and all that begin as a key does', () => {
    expect(problemOf('layer1').remedy).toBe(
      'Did you mean "layer1.*"? The model\'s layers are: embedding, layer1.0.conv1, layer1.0.conv2, layer1.1.conv1, layer10.conv1, rnn, ' +
        'attention, attention.out_proj.',
    );
    expect(problemOf('layer1.0').remedy).toBe(
      'Did you mean "layer1.0.*"? Matrices of layer1 are: layer1.0.conv1.weight, layer1.0.conv2.weight, layer1.1.conv1.weight.',
    );
    expect(problemOf('layer1.0.conv3').remedy).toBe(
      'Did you mean "layer1.0.conv1"? Matrices of layer1.0 are: layer1.0.conv1.weight, layer1.0.conv2.weight.',
    );
    expect(problemOf('rnn.kernel*').remedy).toBe('Matrices of rnn are: rnn.weight_ih_l0, rnn.weight_hh_l0.');
    expect(problemOf('rnn.weight_ih_10').meant).toBe('rnn.weight_ih_l0');
  });
});

describe('errors of use', () => {
  test('a name that matches nothing is an error that lists the layers and suggests the nearest', () => {
    const error = errorOf({ fc11: 1 });
    expect(error.message).toBe('layers.fc11: matches no layer of the model');
    expect(error.remedy).toBe('Did you mean "fc1"? The model\'s layers are: embedding, lstm, fc1, fc2.');
    expect(error.exitCode).toBe(ExitCode.usage);
  });

  test('a misspelt weight is corrected to a weight', () => {
    expect(errorOf({ 'lstm/recurent_kernel': 1 }).remedy).toContain('Did you mean "lstm/recurrent_kernel"?');
  });

  test('biases and normalizations cannot be compressed', () => {
    expect(errorOf({ norm: 1 }).message).toContain('matches only norm/gamma');
    expect(errorOf({ 'fc1/bias': 1 }).message).toContain('matches only fc1/bias');
  });

  test('two globs that match the same weight are an error', () => {
    expect(errorOf({ 'fc*': 1, '*1': 2 }).message).toContain('*1: matches fc1/kernel, and so does "fc*"');
  });
});

describe('patterns that were made to take long', () => {
  const hostile = Array.from({ length: 500 }, (_, i) => weight(`${'a'.repeat(60)}${i}/kernel`, [2, 2]));

  test('are refused once they have taken long; names are still found', () => {
    const patterns = Array.from({ length: 3000 }, (_, i) => [`${'*a'.repeat(200)}b${i}`, 0] as const);
    let assigned: ReturnType<typeof assignTargets<number, (typeof hostile)[number]>> | undefined;
    const assign = () => (assigned = assignTargets(Object.fromEntries([...patterns, [hostile[7].layer, 1]]), hostile));
    expect(processorTime(assign)).toBeLessThan(10_000);
    const { targets, problems } = assigned!;
    expect(targets.map(({ weight: { name } }) => name)).toEqual([hostile[7].name]);
    expect(problems).toHaveLength(3000);
    expect(problems.at(-1)?.reason).toContain('was not compared with the layers of the model');
  });

  test('are not counted against the next version of the file', () => {
    const keys = new LayerKeys(hostile);
    keys.closest(Array.from({ length: 3000 }, (_, i) => `${'*a'.repeat(200)}b${i}`));
    expect(keys.isExhausted).toBe(true);
    expect(keys.closest(['a*']).size).toBe(500);
    expect(keys.isExhausted).toBe(false);
  });

  test('a message lists the first layers of a large model and counts the rest', () => {
    const [{ remedy }] = assignTargets({ nothing: 1 }, hostile).problems;
    expect(remedy).toMatch(/^The model's layers are: (a+\d+, ){19}a+\d+ and 480 more\.$/);
  });
});
