import { describe, expect, test } from 'vitest';
import { completeValues } from '../../../../extension/commands/completeValues.ts';
import { splitValues } from '../../../../extension/runs/overrideText.ts';
import { parseOverride } from '../../../../server/protocol/experiment/overrides.ts';
import { checkExperiment } from '../../../../server/protocol/experiment/parseExperiment.ts';

const text = JSON.stringify({
  model: './model.ts',
  data: { type: 'mnist', path: 'mnist' },
  training: { optimizer: { type: 'adam', learningRate: 0.01 }, batchSize: 50, steps: 1000 },
  compression: {
    method: 'quantize',
    distortEvery: 10,
    layers: { fc1: { bits: 2 }, 'block.1': { bits: 3, algorithm: 'greedy' } },
  },
});
const complete = (line: string, overrides: readonly string[] = []) => completeValues(line, text, overrides);
const labels = (line: string) => complete(line).map(({ label }) => label);

describe('of what is typed as path=value', () => {
  test('settings are completed, those whose own name begins so first, with their value and meaning', () => {
    expect(labels('dist')).toEqual(['compression.distortEvery', 'distillation']);
    expect(complete('dist')[0]).toEqual({
      label: 'compression.distortEvery',
      line: 'compression.distortEvery=',
      description: '10',
      detail:
        'Distortion step S_D: training steps (epochs where unit says so) between two distortions, which replace the weights by their compressed form.',
    });
    expect(labels('see')[0]).toBe('training.seed');
    expect(labels('rate').slice(0, 1)).toEqual(['training.optimizer.learningRate']);
    expect(labels('beta')).toEqual(['training.optimizer.beta1', 'training.optimizer.beta2']);
  });

  test('a word that the schema describes nothing of has no detail: it would be the word once more', () => {
    expect(complete('data.type=')).toEqual([{ label: 'mnist', line: 'data.type=mnist', present: true }]);
    expect(complete('data.type')[0]).toEqual({ label: 'data.type', line: 'data.type=', description: '"mnist"' });
    expect(complete('compression.distortEvery=')[0].detail).toMatch(/^Distortion step S_D/);
    const quoted = complete('').flatMap(({ line, detail }) => [detail, ...complete(line).map((value) => value.detail)]);
    expect(quoted.filter((detail) => detail?.startsWith("'"))).toEqual([]);
  });

  test("layers are the file's own", () => {
    expect(labels('bits')).toEqual(['compression.layers.fc1.bits', 'compression.layers["block.1"].bits']);
    expect(labels('fc1.')).toEqual(
      ['bits', 'levels', 'algorithm', 'scales', 'iterations'].map((name) => `compression.layers.fc1.${name}`),
    );
  });

  test('values are completed where there are few, else with that of the file', () => {
    expect(labels('compression.layers.fc1.algorithm=')).toEqual(['greedy', 'refined', 'alternating']);
    expect(labels('compression.layers.fc1.algorithm=re')).toEqual(['refined']);
    expect(complete('compression.layers["block.1"].algorithm=g')[0]).toMatchObject({
      line: 'compression.layers["block.1"].algorithm=greedy',
      present: true,
    });
    expect(labels('training.keepBest=')).toEqual(['true', 'false']);
    expect(labels('compression.distortEvery=')).toEqual(['10']);
    expect(labels('compression.distortEvery=10')).toEqual([]);
    expect(labels('nothing=')).toEqual([]);
  });

  test('the last of a line is completed, given those before it', () => {
    const [{ line }] = complete('training.seed=2 compression.policy=stra');
    expect(line).toBe('training.seed=2 compression.policy=straight-through');
    expect(labels('training.optimizer={"type":"sgd","learningRate":1} nest')).toEqual(['training.optimizer.nesterov']);
    expect(complete('compression.distortEvery=', ['compression.distortEvery=7'])[0].label).toBe('7');
    expect(complete('').length).toBeGreaterThan(10);
  });

  test('what a line would be cut at is in quotes, and is one value with what it was', () => {
    const path = '../My Data/mnist';
    const own = {
      ...{ model: 'a[b.ts', data: { type: 'mnist', path } },
      compression: { method: 'quantize', layers: { 'my layer': { bits: 2 } } },
    };
    const completed = (line: string) => completeValues(line, JSON.stringify(own), []);
    const [whole] = completed('training.seed=2 data.path=');
    expect(whole).toMatchObject({ label: path, line: `training.seed=2 data.path="${path}"`, present: true });
    for (const typed of ['data.path="', 'data.path=".', 'data.path="../My ', 'data.path="../My Data/'])
      expect(
        completed(typed).map(({ line }) => line),
        typed,
      ).toEqual([`data.path="${path}"`]);
    expect(completed(`data.path="${path}"`)).toEqual([]);
    const settings = ['model', 'data.', 'layers'].flatMap(completed);
    const lines = settings.flatMap((setting) => completed(setting.line)).map(({ line }) => line);
    for (const line of lines) expect(splitValues(`${line} training.seed=2`)).toEqual([line, 'training.seed=2']);
    const values = Object.fromEntries(lines.map((line) => [line.split('=')[0], parseOverride(line)?.value]));
    const layer = 'compression.layers["my layer"].bits';
    expect(values).toMatchObject({ model: own.model, 'data.path': path, [layer]: 2 });
  });

  test('before anything is typed, what is varied from run to run comes first', () => {
    expect(labels('').slice(0, 3)).toEqual([
      'compression.method',
      'compression.distortEvery',
      'compression.layers.fc1.bits',
    ]);
  });

  test('all that is offered can be used', () => {
    for (const { line } of complete('')) {
      if (!line.endsWith('=')) continue;
      for (const value of complete(line)) {
        const { problems } = checkExperiment(text, [value.line]);
        expect(
          problems.filter(({ message }) => message.includes('unknown setting')),
          value.line,
        ).toEqual([]);
      }
    }
  });
});
