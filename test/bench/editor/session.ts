/** @file A VS Code with the LeNet examples for one measurement, of which nothing is left afterwards. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { isAlive } from '../../../server/runs/liveProcess.ts';
import type { RunRecord } from '../../../server/runs/runRecord.ts';
import { openFile, webview, workbenchReady } from '../../../scripts/editor/workbench.js';
import { EditorSession, EXPERIMENT } from '../../e2e/editorSession.ts';
import { watchInput } from './lastInput.ts';
import { until } from './until.ts';

/** Steps of the LeNet-300-100 example as it is: every tenth is a point of its curves. */
const STEPS = 20_000;

/** Runs are nobody's children: they are ended whatever becomes of the work, also when this process is interrupted. */
export async function withEditor<T>(
  settings: Record<string, unknown>,
  work: (session: EditorSession) => Promise<T>,
): Promise<T> {
  const session = await EditorSession.open({ settings });
  const kill = () => session.runs().forEach(killTrainer);
  process.once('exit', kill);
  try {
    session.setSteps(STEPS);
    return await work(session);
  } finally {
    kill();
    process.off('exit', kill);
    await session.dispose();
  }
}

/** Ends the process of a run folder as a crash does, where it has one. The next process of a run sweeps its socket. */
export function killTrainer(run: string): void {
  const { process: trainer } = recordOf(run);
  if (trainer && isAlive(trainer) === true) process.kill(trainer.pid, 'SIGKILL');
}

/** The same, and waits until whoever started the process has taken note: until then it counts as one that lives. */
export async function endRun(run: string): Promise<void> {
  killTrainer(run);
  const { process: trainer } = recordOf(run);
  await until('the end of the process', () => !trainer || isAlive(trainer) !== true);
}

function recordOf(run: string): RunRecord {
  return JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as RunRecord;
}

/** Opens the experiment's file and waits until the extension is there. */
export async function openExperiment(page: Page): Promise<void> {
  await openFile(page, EXPERIMENT);
  await page.locator('.codelens-decoration, .editor-actions .action-label').first().waitFor();
}

/** Opens the dashboard beside the file. */
export async function openDashboard(page: Page): Promise<void> {
  await page.keyboard.press('Control+Alt+D');
  await webview(page).locator('.page-head').waitFor();
}

/** Does the same so often with the tree of experiments, each time in a window that has just been loaded. */
export async function inNewWindows(
  session: EditorSession,
  times: number,
  work: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await session.window({ width: 1400, height: 900 });
  await watchInput(page);
  for (let i = 0; i < times; i++) {
    if (i > 0) {
      await page.reload();
      await workbenchReady(page);
    }
    await openContainer(page);
    await work(page);
  }
}

/** Opens the side bar with the tree of experiments. */
export async function openContainer(page: Page): Promise<void> {
  await page.locator('.activitybar .action-label[aria-label="DeepTwist"]').click();
}

/**
 * Runs the experiment of the open file by its key, as a user does.
 * @returns when the key was pressed, milliseconds since the epoch, and the folder of the run
 */
export async function startRun(session: EditorSession, page: Page): Promise<{ pressed: number; run: string }> {
  const known = session.runs();
  await page.keyboard.press('Control+1');
  await page.locator('.editor-instance .monaco-editor.focused').waitFor();
  const pressed = Date.now();
  await page.keyboard.press('Control+Alt+R');
  const run = await until('the folder of the run', () => session.runs().find((folder) => !known.includes(folder)));
  return { pressed, run };
}
