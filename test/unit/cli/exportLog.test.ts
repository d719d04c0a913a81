import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { identify } from '../../../server/runs/liveProcess.ts';
import { MlflowStandIn } from '../tracking/mlflowStandIn.ts';
import { place } from './place.ts';

test('export-log writes for TensorBoard beside the runs, or where --out says', async () => {
  const { cli, run, folder } = await place();
  const first = await cli(['export-log', 'last', '--to', 'tensorboard']);
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(new RegExp(`^${run.id}: \\d+ events -> .*${run.id}.tensorboard\n$`));
  const again = await cli(['export-log', 'last', '--to', 'tensorboard']);
  expect(again.stdout).toContain(`${run.id}: nothing new -> `);
  const out = await cli(['export-log', run.id, '--to', 'tensorboard', '--out', 'board', '--json']);
  expect(JSON.parse(out.stdout)).toMatchObject({ run: run.id, to: 'tensorboard', passedOver: 0 });
  expect(readdirSync(join(folder, 'board', run.id))).toContainEqual(expect.stringContaining('tfevents'));
});

test('export-log sends to the MLflow server that --uri names', async () => {
  const server = await MlflowStandIn.startForTest();
  const { cli, run } = await place();
  const { code, stdout } = await cli(['export-log', 'last', '--to', 'mlflow', '--uri', server.uri]);
  expect(code).toBe(0);
  expect(stdout).toContain(`-> ${server.uri}/#/runs/run0`);
  expect(server.runs[0].tags.get('deeptwist.run')).toBe(run.id);
});

test('what was logged while the run trained is not there twice', async () => {
  const server = await MlflowStandIn.startForTest();
  const logging = { tensorBoard: 'board', mlflow: { uri: server.uri, experiment: 'compression' } };
  const { cli, run, folder } = await place(undefined, { logging });
  const { stderr } = await cli(['export-log', 'last', '--to', 'mlflow']);
  expect(stderr).toContain(`give --uri ${server.uri} to send it there`);
  const { stdout } = await cli(['export-log', 'last', '--to', 'mlflow', '--uri', server.uri]);
  expect(stdout).toContain(`${run.id}: nothing new -> `);
  expect(server.runs).toHaveLength(1);
  const board = await cli(['export-log', 'last', '--to', 'tensorboard']);
  expect(board.stdout).toBe(`${run.id}: nothing new -> ${join('board', run.id)}\n`);
  expect(readdirSync(folder)).toContain('board');
});

test('export-log says that the server is away, and fails', async () => {
  const uri = await MlflowStandIn.addressOfNone();
  const { cli } = await place();
  const { code, stderr } = await cli(['export-log', 'last', '--to', 'mlflow', '--uri', uri]);
  expect(code).toBe(1);
  expect(stderr).toContain('does not answer');
});

test('a run that still trains is written as far as it is, and --follow is named', async () => {
  const { cli, run } = await place(20);
  await run.update({ state: 'running', process: identify(process.pid) });
  const { stdout } = await cli(['export-log', run.id, '--to', 'tensorboard']);
  expect(stdout).toContain('The run still trains: --follow continues with it.');
});

test.each([
  [['export-log', 'last'], 'expected --to PROGRAM'],
  [['export-log', 'last', '--to', 'wandb'], "--to cannot be 'wandb'"],
  [['export-log', 'last', '--to', 'mlflow', '--uri', 'http://a', '--out', 'x'], '--out is not for mlflow'],
  [['export-log', 'last', '--to', 'tensorboard', '--uri', 'http://a'], '--uri is not for tensorboard'],
  [['export-log', 'last', '--to', 'mlflow', '--uri', 'databricks'], 'reached by http:// or https://'],
])('%j is wrong usage', async (args, said) => {
  const { cli } = await place();
  const { code, stderr } = await cli(args);
  expect(stderr).toContain(said);
  expect(code).toBeGreaterThan(0);
});
