/**
 * @file A run that was stopped and went on, sent to MLflow's own server on this machine and read by its own client: settings, state,
 * and every point of every metric beside what the run recorded; then once more, without what is known of the first time.
 * `--python PATH` names the interpreter.
 */
import { spawn } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { exportLog } from '../../server/tracking/index.ts';
import { until } from '../until.ts';
import { beside, type Benchmark, type Result } from './bench.ts';
import { askPython, checkPython } from './givenPython.ts';
import { differingPoints, loggedRun, pointsOf, type LoggedRun } from './loggedRun.ts';
import { cacheFolder } from './prepare.ts';

const EXPERIMENT = 'blobs';

const answer = z.object({
  version: z.string(),
  runs: z.array(
    z.object({
      experiment: z.string(),
      status: z.string(),
      tag: z.string().nullable(),
      params: z.record(z.string(), z.string()),
      metrics: z.record(z.string(), z.array(z.tuple([z.number(), z.number()]))),
      artifacts: z.array(z.string()),
    }),
  ),
});

/** None may differ. */
const LIMIT = 0.5;

const benchmark: Benchmark = {
  options: { python: { type: 'string', default: 'python3' } },
  async run(options) {
    const python = String(options.python);
    checkPython(python, ['mlflow']);
    const folder = cacheFolder('mlflow');
    const port = await freePort();
    const uri = `http://127.0.0.1:${port}`;
    const server = startServer(python, join(folder, 'server'), port);
    try {
      await until(async () => (await fetch(`${uri}/health`)).ok, "MLflow's server");
      const logged = await loggedRun(join(folder, 'run'), { mlflow: { uri, experiment: EXPERIMENT } });
      const live = compare(python, uri, logged, 'live');
      for (const name of readdirSync(logged.run.path))
        if (name.startsWith('mlflow-')) rmSync(join(logged.run.path, name));
      const destination = { to: 'mlflow', uri, experiment: EXPERIMENT } as const;
      await exportLog(logged.run, destination, { signal: new AbortController().signal, atEnd: () => true });
      return [...live, ...compare(python, uri, logged, 'sent twice')];
    } finally {
      if (server.pid !== undefined) process.kill(-server.pid);
    }
  },
};

export default benchmark;

function compare(python: string, uri: string, { run, scalars }: LoggedRun, how: string): Result[] {
  const refusal = "MLflow's client cannot read the runs";
  const { version, runs } = askPython(python, 'read_mlflow.py', [uri], { answer, refusal });
  const [sent] = runs;
  const points = pointsOf(scalars);
  console.log(
    `  MLflow ${version}, ${how}: ${runs.length} run, ${sent.status}, ${Object.keys(sent.params).length} params, ${points} points of ` +
      `${scalars.size} metrics, artifacts ${sent.artifacts.join(', ')}`,
  );
  const isWrong =
    runs.length !== 1 || sent.status !== 'FINISHED' || sent.tag !== run.id || sent.experiment !== EXPERIMENT;
  return [
    beside(LIMIT, `${how}: points that differ of ${points}`, differingPoints(scalars, sent.metrics), 'points'),
    beside(LIMIT, `${how}: runs that are not as they should be`, isWrong ? 1 : 0, 'runs'),
  ];
}

/** In a group of its own, which has its workers too. */
function startServer(python: string, folder: string, port: number) {
  for (const old of [folder, `${folder}.db`]) rmSync(old, { recursive: true, force: true });
  return spawn(
    resolve(dirname(python), 'mlflow'),
    [
      ...['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...['--backend-store-uri', `sqlite:///${folder}.db`, '--artifacts-destination', join(folder, 'artifacts')],
    ],
    { stdio: 'ignore', detached: true },
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
