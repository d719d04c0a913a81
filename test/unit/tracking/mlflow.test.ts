import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Run } from '../../../server/runs/run.ts';
import { exportLog, startLiveLogs } from '../../../server/tracking/index.ts';
import { mlflowDestination } from '../../../server/tracking/mlflow/mlflowDestination.ts';
import { metrics, started, wholeRun } from '../cli/sampleEvents.ts';
import { temporaryRun } from '../runs/temporaryRun.ts';
import { userErrorOf } from '../userErrorOf.ts';
import { MlflowStandIn, type Refusal } from './mlflowStandIn.ts';
import { record } from './record.ts';

let server: MlflowStandIn;

beforeEach(async () => {
  server = await MlflowStandIn.start();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await server.stop();
});

function send(run: Run, uri = server.uri) {
  const signal = new AbortController().signal;
  return exportLog(run, { to: 'mlflow', uri, experiment: 'lenet' }, { signal, atEnd: () => true });
}

const live = (run: Run, told: string[], uri = server.uri) =>
  startLiveLogs(run, [{ to: 'mlflow', uri, experiment: 'lenet' }], (message) => told.push(message));

test('a run is sent with its settings, its metrics at their steps, its state and its files', async () => {
  const run = await temporaryRun();
  writeFileSync(join(run.modelFolder, 'compressed.safetensors'), 'small');
  await record(run, wholeRun);
  const { page } = await send(run);
  expect(page).toBe(`${server.uri}/#/runs/run0`);
  const [sent] = server.runs;
  expect([...server.experiments.keys()]).toEqual(['lenet']);
  expect(sent.status).toBe('FINISHED');
  expect(sent.params.get('training.batchSize')).toBe('50');
  expect(sent.tags.get('deeptwist.run')).toBe(run.id);
  expect(sent.tags.get('deeptwist.warning')).toBe('the learning rate is high');
  expect(server.history('train/loss')).toEqual([1, 10000, 20000].map((step) => [step, 0.1234567]));
  expect(server.history('final/test/accuracy')).toEqual([[20000, 0.98412]]);
  expect([...server.artifacts.keys()]).toEqual(['experiment.deeptwist.jsonc', 'model/compressed.safetensors']);
});

test('a loss that is not finite is sent as such', async () => {
  const run = await temporaryRun();
  await record(run, [started, metrics(1, NaN)]);
  await send(run);
  expect(server.history('train/loss')).toEqual([[1, 'NaN']]);
});

test('a batch has at most what MLflow takes', async () => {
  const run = await temporaryRun();
  await record(run, [started, ...Array.from({ length: 700 }, (_, step) => metrics(step + 1))]);
  await send(run);
  expect(server.history('train/loss')).toHaveLength(700);
  expect(Math.max(...server.requests.map(({ items }) => items))).toBe(1000);
});

test('what was sent is not sent again, and sent again it changes nothing', async () => {
  const run = await temporaryRun();
  await record(run, wholeRun);
  await send(run);
  const [first] = server.runs;
  const points = first.points.size;
  const asked = server.requests.length;
  expect(await send(run)).toMatchObject({ events: 0 });
  expect(server.requests.slice(asked).map(({ path }) => path)).toEqual(['/api/2.0/mlflow/runs/get']);
  for (const name of readdirSync(run.path)) if (name.startsWith('mlflow-')) rmSync(join(run.path, name));
  expect(await send(run)).toMatchObject({ events: wholeRun.length });
  expect(server.runs).toHaveLength(1);
  expect(first.points.size).toBe(points);
});

test('steps that are done again after a checkpoint have one point each', async () => {
  const run = await temporaryRun();
  const cutAt = await record(run, [started, metrics(1), metrics(2)]);
  await record(run, [metrics(3)]);
  await send(run);
  const again = [{ ...metrics(3), time: 99 }, metrics(4)];
  await record(run, [{ ...started, step: 2, resumedFrom: 2 }, ...again], { cutAt });
  await send(run);
  expect(server.history('train/loss').map(([step]) => step)).toEqual([1, 2, 3, 4]);
});

test('a run that was deleted on the server is made anew', async () => {
  const run = await temporaryRun();
  await record(run, wholeRun);
  await send(run);
  server.runs.pop();
  await send(run);
  expect(server.history('train/loss')).toHaveLength(3);
});

test('the name and the password, or else the token, of the environment are sent', async () => {
  const run = await temporaryRun();
  await record(run, [started]);
  vi.stubEnv('MLFLOW_TRACKING_TOKEN', 'secret');
  await send(run);
  expect(server.requests.at(-1)?.authorization).toBe('Bearer secret');
  vi.stubEnv('MLFLOW_TRACKING_USERNAME', 'ada');
  vi.stubEnv('MLFLOW_TRACKING_PASSWORD', 'pass');
  await send(run);
  expect(server.requests.at(-1)?.authorization).toBe(`Basic ${Buffer.from('ada:pass').toString('base64')}`);
});

test('a refused token is told with the variables to set', async () => {
  const run = await temporaryRun();
  await record(run, [started]);
  server.refuse = () => [401, 'You are not authenticated.'];
  vi.stubEnv('MLFLOW_TRACKING_TOKEN', 'old');
  const error = await userErrorOf(() => send(run));
  expect(error.message).toBe(`The MLflow server ${server.uri} refuses the token or the password (401).`);
  expect(error.remedy).toContain('MLFLOW_TRACKING_TOKEN');
});

test('an address at which there is no MLflow is told as that', async () => {
  const run = await temporaryRun();
  server.refuse = () => [404, '<html>Not Found</html>'];
  expect((await userErrorOf(() => send(run))).message).toBe(
    `There is no MLflow server at ${server.uri}: it answers 404.`,
  );
  server.refuse = () => [200, '<html>Welcome</html>'];
  expect((await userErrorOf(() => send(run))).message).toContain('its answer is none of MLflow');
});

test('a setting that MLflow refuses is told with what it says', async () => {
  const run = await temporaryRun();
  await record(run, [started]);
  server.refuse = (path) =>
    path.endsWith('log-batch')
      ? [400, { error_code: 'INVALID_PARAMETER_VALUE', message: 'Changing.\nAt …' }]
      : undefined;
  expect((await userErrorOf(() => send(run))).message).toContain('answers INVALID_PARAMETER_VALUE: Changing.');
});

test.each<[string, Refusal | 'never', string]>([
  ['is in trouble', [500, { error_code: 'INTERNAL_ERROR', message: 'Unable to locate credentials' }], 'is in trouble (500): Unable to locate credentials.'],
  ['takes no file of that size', [413, '<html>Request Entity Too Large</html>'], 'takes nothing that is so large (413).'],
  ['refuses the token', [403, {}], '(403)'],
  ['has no answer', 'never', 'does not answer: it takes too long.'],
])('if the store of the files %s, all else is sent, and a tag says what is missing', async (_, answer, reason) => {
  const run = await temporaryRun();
  writeFileSync(join(run.modelFolder, 'compressed.safetensors'), 'small');
  await record(run, wholeRun);
  let limit = new AbortController();
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => (limit = new AbortController()).signal);
  server.refuse = (path) => {
    if (!path.includes('mlflow-artifacts')) return undefined;
    if (answer === 'never') limit.abort(new DOMException('it takes too long', 'TimeoutError'));
    return answer;
  };
  const told: string[] = [];
  expect(await live(run, told).end()).toEqual([]);
  expect(told).toEqual([]);
  const [sent] = server.runs;
  expect(sent.status).toBe('FINISHED');
  expect(server.history('train/loss')).toHaveLength(3);
  expect(server.history('final/test/accuracy')).toHaveLength(1);
  expect(sent.tags.get('deeptwist.warning')).toBe('the learning rate is high');
  for (const name of ['experiment.deeptwist.jsonc', 'compressed.safetensors']) {
    expect(sent.tags.get(`deeptwist.artifact.${name}`)).toMatch(/^not kept: The MLflow server /);
    expect(sent.tags.get(`deeptwist.artifact.${name}`)).toContain(reason);
  }
  expect(await send(run)).toMatchObject({ events: 0 });
}); // prettier-ignore

test('a live run waits for a server that is away, and sends everything when it is back', async () => {
  const run = await temporaryRun();
  const { port, uri } = server;
  await server.stop();
  await record(run, [started, metrics(1)]);
  const told: string[] = [];
  const logs = live(run, told, uri);
  await expect.poll(() => told).toHaveLength(1);
  expect(told[0]).toContain(`The MLflow server ${uri} does not answer`);
  expect(told[0]).toContain('The run goes on');
  await record(run, [metrics(2)]);
  server = await MlflowStandIn.start(port);
  await record(run, wholeRun.slice(-1));
  expect(await logs.end()).toEqual([]);
  expect(server.history('train/loss').map(([step]) => step)).toEqual([1, 2]);
  expect(told).toHaveLength(1);
});

test('a live run that ends while the server is away says what sends the rest', async () => {
  const run = await temporaryRun();
  const { uri } = server;
  await server.stop();
  await record(run, wholeRun);
  const told: string[] = [];
  const logs = live(run, told, uri);
  await expect.poll(() => told).toHaveLength(1);
  const [notice] = await logs.end();
  expect(notice).toContain(`deeptwist export-log ${run.path} --to mlflow --uri ${uri} --experiment lenet`);
  server = await MlflowStandIn.start();
});

test('a live run that is refused says so once and is left alone', async () => {
  const run = await temporaryRun();
  server.refuse = () => [403, { error_code: 'PERMISSION_DENIED', message: 'Permission denied' }];
  await record(run, [started]);
  const told: string[] = [];
  const logs = live(run, told);
  await expect.poll(() => told).toHaveLength(1);
  expect(told[0]).toContain('refuses requests without a name (403): Permission denied');
  expect(await logs.end()).toHaveLength(1);
  expect(told).toHaveLength(1);
});

test('a server that is in trouble for a while is asked again', async () => {
  const run = await temporaryRun();
  await record(run, wholeRun);
  let troubles = 2;
  server.refuse = (path) => (path.endsWith('log-batch') && troubles-- > 0 ? [503, 'busy'] : undefined);
  const told: string[] = [];
  const logs = live(run, told);
  await expect.poll(() => server.runs[0]?.status, { timeout: 60_000 }).toBe('FINISHED');
  expect(await logs.end()).toEqual([]);
  expect(told).toEqual([expect.stringContaining('is in trouble (503)')]);
});

test('the address and the experiment come from the setting, else from the environment, else from the file', () => {
  expect(mlflowDestination({ uri: 'http://a:5000/', experiment: 'x' }, 'file', { environment: {} })).toEqual({
    uri: 'http://a:5000',
    experiment: 'x',
  });
  const environment = { MLFLOW_TRACKING_URI: 'https://b', MLFLOW_EXPERIMENT_NAME: 'y' };
  expect(mlflowDestination({}, 'file', { environment })).toEqual({ uri: 'https://b', experiment: 'y' });
  expect(mlflowDestination({}, 'file', { environment: { MLFLOW_TRACKING_URI: 'https://b' } }).experiment).toBe('file');
  expect(() => mlflowDestination({}, 'file', { environment: {} })).toThrow('No MLflow server is named.');
  expect(() => mlflowDestination({}, 'file', { environment: { MLFLOW_TRACKING_URI: './mlruns' } })).toThrow(
    'An MLflow server is reached by http:// or https://, and not as ./mlruns.',
  );
});

test('a password in an address is not repeated', () => {
  const environment = { MLFLOW_TRACKING_URI: 'https://ada:pass@b' };
  expect(() => mlflowDestination({}, 'file', { environment })).toThrow('not as https://…@b.');
});
