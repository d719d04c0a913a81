import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { RunEvent } from '../../../server/protocol/run/events.ts';
import { parseExperiment } from '../../../server/protocol/experiment/parseExperiment.ts';
import type { Run } from '../../../server/runs/run.ts';
import { runExperiment } from '../../../server/training/index.ts';
import { readEventFile, shownScalars } from '../formats/tensorboard/eventFile.ts';
import { MlflowStandIn } from '../tracking/mlflowStandIn.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { eventsOf, experiment, recordedEvents, resume, workspace } from './workspace.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const compression = { method: 'prune', distortEvery: 10, layers: { fc1: { rate: 0.5 } } };

function scalarsIn(folder: string, tag: string) {
  const [name] = readdirSync(folder).filter((file) => file.includes('tfevents'));
  return shownScalars(readEventFile(readFileSync(join(folder, name))), tag);
}

/** What a run has recorded of its loss, in the precision of an event file. */
async function losses(run: Run): Promise<[number, number][]> {
  return eventsOf(await recordedEvents(run), 'metrics').map(({ step, loss }) => [step, Math.fround(loss)]);
}

test('a run that is stopped and goes on has each step once in its event file, as recorded', async () => {
  const made = await workspace({ compression, logging: { tensorBoard: true } });
  const { run } = await made.run({ stopAfter: 30 });
  const folder = join(run.path, 'tensorboard');
  expect(scalarsIn(folder, 'train/loss')).toEqual(await losses(run));
  const { state } = await resume(run);
  expect(state).toBe('finished');
  const all = await losses(run);
  expect(all.at(-1)?.[0]).toBe(60);
  expect(scalarsIn(folder, 'train/loss')).toEqual(all);
  expect(scalarsIn(folder, 'sparsity/fc1/kernel').at(-1)).toEqual([60, 0.5]);
});

test('the event file can be in a folder of the project, with a folder for each run', async () => {
  const made = await workspace({ logging: { tensorBoard: './board' } });
  const { run } = await made.run();
  expect(scalarsIn(join(made.folder, 'board', run.id), 'train/loss')).toEqual(await losses(run));
});

test('a run trains as it does without a log', async () => {
  const made = await workspace({ compression });
  const { run } = await made.run();
  const logged = await workspace({ compression, logging: { tensorBoard: true } });
  const other = await logged.run();
  expect(await losses(other.run)).toEqual(await losses(run));
});

test('a run is sent to MLflow while it trains', async () => {
  const server = await MlflowStandIn.startForTest();
  const made = await workspace({ compression, logging: { mlflow: { uri: server.uri } } });
  const { run } = await made.run();
  expect(server.runs[0].status).toBe('FINISHED');
  expect([...server.experiments.keys()]).toEqual(['blobs']);
  expect(server.history('train/loss').map(([step]) => step)).toEqual((await losses(run)).map(([step]) => step));
});

test('a server that is away and a folder that cannot be written do not end a run; it says what is left', async () => {
  const uri = await MlflowStandIn.addressOfNone();
  const made = await workspace({
    logging: { tensorBoard: './taken', mlflow: { uri, experiment: 'my nets' } },
    training: { ...experiment.training, steps: 2000 },
  });
  writeFileSync(join(made.folder, 'taken'), '');
  const notices: string[] = [];
  const events: RunEvent[] = [];
  const { run, state } = await runExperiment({
    file: made.file,
    overrides: [],
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    onNotice: (message) => notices.push(message),
  });
  expect(state).toBe('finished');
  const warnings = eventsOf(events, 'warning').map(({ message }) => message);
  expect(warnings).toContainEqual(expect.stringMatching(/taken.*The run goes on; its log can be written later/));
  expect(warnings).toContainEqual(expect.stringContaining(`The MLflow server ${uri} does not answer`));
  expect(notices).toContainEqual(
    expect.stringContaining(`deeptwist export-log ${run.path} --to mlflow --uri ${uri} --experiment 'my nets'`),
  );
  expect(notices).toContainEqual(expect.stringContaining('--to tensorboard --out'));
});

test('a run that is to be sent to a server that nobody names does not begin', async () => {
  vi.stubEnv('MLFLOW_TRACKING_URI', undefined);
  const made = await workspace({ logging: { mlflow: {} } });
  const error = await userErrorOf(() => made.run());
  expect(error.message).toBe('No MLflow server is named.');
  expect(error.remedy).toContain('logging.mlflow.uri');
});

test.each([
  [{ tensorBoard: 1 }, 'logging.tensorBoard'],
  [{ tensorBoard: '' }, 'logging.tensorBoard'],
  [{ tensorboard: true }, 'did you mean "tensorBoard"?'],
  [{ mlflow: { uri: 'localhost:5000' } }, 'begins with http:// or https://'],
  [{ mlflow: { uri: 'http://ada:pass@host' } }, 'without a name and a password'],
  [{ mlflow: { uri: 'http://host', experiment: '' } }, 'logging.mlflow.experiment'],
  [{ mlflow: { uri: 'http://host', token: 'x' } }, 'token'],
])('the setting %j is refused with its place', (logging, said) => {
  const text = JSON.stringify({ ...experiment, logging });
  expect(() => parseExperiment(text, { file: 'a.deeptwist.jsonc' })).toThrow(said);
});
