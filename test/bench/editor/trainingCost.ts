/**
 * @file What a dashboard that is watched costs the training: the same steps of LeNet-300-100 with the dashboard's curves open,
 * and with nothing beside the training process, the editor at rest. On two cores the browser, which draws by the processor
 * alone, has one of them while training has one thread; with the default threads the two share both.
 */
import { readFile } from 'node:fs/promises';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { webview } from '../../../scripts/editor/workbench.js';
import { root } from '../../../scripts/root.js';
import { createRun } from '../../../server/runs/createRun.ts';
import type { Run } from '../../../server/runs/run.ts';
import { connectToSidecar, type SidecarConnection } from '../../../server/sidecarClient/sidecarConnection.ts';
import { findRunProcess } from '../../../server/runs/tickets.ts';
import { startSidecar } from '../../../server/sidecarClient/startSidecar.ts';
import { measureAll, type Comparison, type Contender } from '../bench.ts';
import { EXPERIMENT, eventsOf, type EditorSession } from '../../e2e/editorSession.ts';
import { withAllFrozen } from './frozen.ts';
import { endRun, openDashboard, openExperiment, startRun, withEditor } from './session.ts';
import { until } from './until.ts';
import { drawn, watchDrawing } from './watchDrawing.ts';

/** The steps that are timed, of every run the same ones. Weights are distorted and observed all the while. */
const FROM = 1000;
const TO = 4000;
const ROUNDS = 5;
const PATIENCE_MS = 60_000;
/** A point is recorded every tenth step. */
const LEAST_DRAWN = (TO - FROM) / 20;

export async function measureTrainingCost(): Promise<Comparison[]> {
  const results: Comparison[] = [];
  for (const threads of [1, undefined]) results.push(...(await measure(threads)));
  return results;
}

function measure(threads: number | undefined): Promise<Comparison[]> {
  return withEditor({ 'deeptwist.notifications': 'none' }, async (session) => {
    const file = join(session.workspace, 'mnist', EXPERIMENT);
    adjust(file, threads);
    const page = await session.window({ width: 1500, height: 950 });
    await watchDrawing(page);
    await openExperiment(page);
    await openDashboard(page);
    const description = { threads: threads ?? 'default', steps: `${FROM} to ${TO}` };
    return measureAll([
      {
        name: `training with a live dashboard, ${threads === undefined ? 'default threads' : 'one thread'}`,
        threads: threads ?? 2,
        unit: 'steps/s',
        better: 'higher',
        target: 0.97,
        rounds: ROUNDS,
        ours: () => contender('dashboard', description, () => watched(session, page)),
        rivals: [() => contender('no client', description, () => withAllFrozen(() => alone(file)))],
      },
      {
        name: `training that tells a client of all events, ${threads === undefined ? 'default threads' : 'one thread'}`,
        threads: threads ?? 2,
        unit: 'steps/s',
        better: 'higher',
        target: 0.97,
        rounds: ROUNDS,
        ours: () => contender('client alone', description, () => withAllFrozen(() => alone(file, { told: true }))),
        rivals: [() => contender('no client', description, () => withAllFrozen(() => alone(file)))],
      },
    ]);
  });
}

/** Distortions from the beginning, so that what the dashboard is told is all that a run tells. */
function adjust(file: string, threads: number | undefined): void {
  const text = readFileSync(file, 'utf8').replace(/"from": \d+/, '"from": 0');
  writeFileSync(file, threads === undefined ? text : text.replace('"seed": 1', `"seed": 1, "threads": ${threads}`));
}

function contender(name: string, description: Contender['description'], round: Contender['round']): Promise<Contender> {
  return Promise.resolve({ name, description, round, close: () => Promise.resolve() });
}

/** @returns steps a second */
async function watched(session: EditorSession, page: Page): Promise<number> {
  const { run } = await startRun(session, page);
  await webview(page).getByRole('tab', { name: 'Curves' }).click();
  const before = (await drawn(page)).events.length;
  const speed = await speedOf(run);
  const points = (await drawn(page)).events.length - before;
  await endRun(run);
  if (points < LEAST_DRAWN) throw new Error(`The dashboard drew ${points} points only: it was not watched.`);
  return speed;
}

/**
 * A run without an editor, which tells this process of its events, or nobody.
 * @returns steps a second
 */
async function alone(experiment: string, { told = false } = {}): Promise<number> {
  const run = await createRun({ experiment, text: await readFile(experiment, 'utf8'), state: 'queued' });
  await startSidecar({ run, node: process.execPath, sidecarScript: join(root, 'dist', 'sidecar.js') });
  const client = told
    ? await until('the process of the run', () => subscribe(run), { patience: PATIENCE_MS })
    : undefined;
  const speed = await speedOf(run.path);
  client?.dispose();
  await endRun(run.path);
  return speed;
}

/** Undefined where the process does not listen yet. */
async function subscribe(run: Run): Promise<SidecarConnection | undefined> {
  await run.reload();
  const found = findRunProcess(run);
  if (!found) return undefined;
  const client = await connectToSidecar(found, { client: 'benchmark' }).catch(() => undefined);
  await client?.subscribe({ offset: 0, cuts: 0 }, () => undefined);
  return client;
}

/** By the times of the points at both ends. */
function speedOf(run: string): Promise<number> {
  return until(
    `step ${TO} of the run`,
    () => {
      const times = [FROM, TO].map(
        (end) => eventsOf(run).find(({ type, step }) => type === 'metrics' && step === end)?.time ?? NaN,
      );
      const seconds = (times[1] - times[0]) / 1000;
      return !Number.isNaN(seconds) && (TO - FROM) / seconds;
    },
    { patience: PATIENCE_MS, interval: 500 },
  );
}
