/** @file Runs on tables: what they learn, keep, and refuse to go on with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, finalWeights, resume, workspace, type Workspace } from './workspace.ts';

const model = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = ({ inputShape, classes = 1 }) => tf.sequential({ layers: [
    tf.layers.dense({ name: 'hidden', units: 8, activation: 'relu', inputShape }),
    tf.layers.dense({ name: 'output', units: classes }),
  ] });`;

const data = { type: 'table', path: './flowers.csv', target: 'species', split: { validation: 0.2, test: 0.2 } };
const training = {
  optimizer: { type: 'adam', learningRate: 0.05 },
  loss: 'sparse-categorical-crossentropy-from-logits',
  batchSize: 6,
  steps: 60,
  evaluateEvery: 20,
  checkpointEvery: 7,
};

/** The species follows from the length, or from the colour where the length is missing. */
function flowers(change: (row: string, index: number) => string = (row) => row): string {
  const rows = Array.from({ length: 60 }, (_, i) => {
    const species = ['small', 'large', 'red'][i % 3];
    const length = species === 'small' ? 1 + i / 100 : species === 'large' ? 9 - i / 100 : '';
    return change(`${length},${species === 'red' ? 'red' : 'blue'},${species}`, i);
  });
  return `length,colour,species\n${rows.join('\n')}\n`;
}

async function table(changes: Record<string, unknown> = {}): Promise<Workspace> {
  const made = await workspace({ model, data, training, ...changes });
  await made.write('flowers.csv', flowers());
  return made;
}

/** What each input of the model takes, in another order than the model has them. */
const groups = { colours: ['colour'], all: ['length', 'colour'] };
const wideAndDeep = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = ({ inputShapes, classes }) => {
    const [all, colours] = ['all', 'colours'].map((name) => tf.input({ name, shape: inputShapes[name] }));
    const hidden = tf.layers.dense({ name: 'hidden', units: 8, activation: 'relu' }).apply(all);
    const joined = tf.layers.concatenate().apply([hidden, colours]);
    return tf.model({ inputs: [all, colours], outputs: tf.layers.dense({ name: 'output', units: classes }).apply(joined) });
  };`;

test('a model of several inputs learns groups of them, and goes on to the bit where it was stopped', async () => {
  const own = await table({ model: wideAndDeep, data: { ...data, inputs: groups } });
  const whole = await own.run();
  expect(eventsOf(whole.events, 'finished')[0].summary).toMatchObject({ test: 1 });
  expect(JSON.parse(readFileSync(join(whole.run.path, 'table.json'), 'utf8'))).toMatchObject({ inputs: groups });
  const { run } = await own.run({ stopAfter: 20 });
  expect((await resume(run)).state).toBe('finished');
  expect(finalWeights(run)).toEqual(finalWeights(whole.run));
});

test('a model that lacks an input of their names is refused', async () => {
  const own = await table({ model: wideAndDeep, data: { ...data, inputs: { colours: ['colour'], al: ['length'] } } });
  const { message } = await userErrorOf(() => own.run());
  expect(message).toMatch(/createModel|no input 'al'/);
});

test.each(['compiled', 'eager'])(
  'a model learns them, %s, and the run keeps what a row becomes for it',
  async (executor) => {
    const { run } = await table({ training: { ...training, executor } });
    const { run: made, state, events } = await run();
    expect(state).toBe('finished');
    expect(eventsOf(events, 'finished')[0].summary).toMatchObject({ metric: 'accuracy', test: 1, validation: 1 });
    expect(eventsOf(events, 'warning').map(({ message }) => message)).toEqual([
      expect.stringContaining("data: column 'length' lacks 20 of 60 values; they become "),
    ]);
    expect(JSON.parse(readFileSync(join(made.path, 'table.json'), 'utf8'))).toMatchObject({
      columns: [
        { name: 'length', kind: 'number' },
        { name: 'colour', categories: ['blue', 'red'] },
      ],
      target: { name: 'species', kind: 'classes', classes: ['large', 'red', 'small'] },
    });
  },
);

test('a number is learnt by a regression', async () => {
  const { run, write } = await table({
    data: { ...data, target: 'y', task: 'regression', standardize: 'all' },
    training: { ...training, loss: 'mean-squared-error', steps: 200 },
  });
  await write('flowers.csv', `x,y\n${Array.from({ length: 60 }, (_, i) => `${i},${1000 - 3 * i}`).join('\n')}\n`);
  const [{ summary }] = eventsOf((await run()).events, 'finished');
  expect(summary.metric).toBe('loss');
  // In deviations of the target: the mean would have 1.
  expect(summary.test).toBeLessThan(0.05);
});

test('a run that is stopped and resumed ends as if it had not been', async () => {
  const { run } = await table();
  const whole = await run();
  const stopped = await run({ stopAfter: 33 });
  expect(stopped.state).toBe('stopped');
  const resumed = await resume(stopped.run);
  expect(resumed.state).toBe('finished');
  expect(finalWeights(resumed.run)).toEqual(finalWeights(whole.run));
});

test.each([
  [
    'another mean',
    flowers((row, i) => (i % 3 === 0 ? '4,blue,small' : row)),
    'columns.length {"name":"length","kind":"number","mean":',
  ],
  [
    'a new category',
    flowers((row, i) => (i % 6 === 0 ? row.replace('blue', 'white') : row)),
    '"categories":["blue","red","white"]} here',
  ],
  [
    'a column more',
    flowers()
      .replace(/^(?=.)/gm, '1,')
      .replace('1,length', 'one,length'),
    'columns ["length","colour"] there, ["one","length","colour"] here',
  ],
])('a run does not go on with other rows: %s', async (_, changed, message) => {
  const { run, write } = await table();
  const stopped = await run({ stopAfter: 20 });
  await write('flowers.csv', changed);
  const [failed] = eventsOf((await resume(stopped.run)).events, 'failed');
  expect(failed.message).toContain(
    `data: the columns of the table are not those of the run ${stopped.run.id} (the run began with them)`,
  );
  expect(failed.message).toContain(message);
});

test('a student learns from a teacher only what both see alike', async () => {
  const { folder, run, write } = await table();
  await write('teacher.deeptwist.jsonc', JSON.stringify({ model: './model.ts', data, training }));
  await run({ of: join(folder, 'teacher.deeptwist.jsonc') });
  const learning = 'distillation={"teacher":"run:teacher"}';
  expect(eventsOf((await run({ overrides: [learning] })).events, 'finished')[0].summary.test).toBe(1);
  const { message } = await userErrorOf(() => run({ overrides: [learning, 'data.standardize="none"'] }));
  expect(message).toContain('(this one learns from it): columns.length {');
});

test('the place of a setting that does not fit is that in the file', async () => {
  const { run } = await table({ data: { ...data, target: 'specie' } });
  const { message } = await userErrorOf(() => run());
  expect(message).toMatch(
    /\.deeptwist\.jsonc:\d+:\d+ data\.target: .*flowers\.csv has no column 'specie'; did you mean 'species'\?/,
  );
});
