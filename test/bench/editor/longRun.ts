/**
 * @file A run of a million points: how long a user who chooses it waits for its curves, and how much memory the dashboard
 * takes for it.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { beside, median, type Limited } from '../bench.ts';
import { EXPERIMENT } from '../../e2e/editorSession.ts';
import { lastInput, watchInput } from './lastInput.ts';
import { privateMemory, renderers, watchMemory } from './processMemory.ts';
import { openContainer, openExperiment, withEditor } from './session.ts';
import { writeCurves, writeFinishedRun } from './storedRuns.ts';
import { until } from './until.ts';
import { drawn, watchDrawing } from './watchDrawing.ts';

const POINTS = 1_000_000;
const FEW = 1000;
const TIMES = 5;
const MB = 1e6;
/** The window's own work after its start. */
const REST_MS = 3000;

export function measureLongRun(): Promise<Limited[]> {
  return withEditor({}, async (session) => {
    const file = join(session.workspace, 'mnist', EXPERIMENT);
    writeCurves(writeFinishedRun(file, 1000, { overrides: [`training.steps=${POINTS}`] }), POINTS);
    const page = await session.window({ width: 1500, height: 950 });
    await watchDrawing(page);
    await watchInput(page);
    await openExperiment(page);
    await sleep(REST_MS);

    // In the browser's VS Code the dashboard lives in the window's process, in a desktop's in one of its own. Counted is by how
    // much the window's grows, at most and with what the message that carries the run takes on its way through the window; and
    // what a process needs that shows an empty page. A process of its own has no garbage of dashboards that were closed.
    const [window] = await renderers(page.context().browser()!);
    await collectGarbage(page);
    const before = privateMemory(window);
    const whenOpened: number[] = [];

    const opened: number[] = [];
    for (let i = 0; i < TIMES; i++) {
      await collectGarbage(page);
      const most = watchMemory(window);
      await page.keyboard.press('Control+Alt+D');
      opened.push(await curvesShown(page, POINTS));
      whenOpened.push(most() - before);
      if (i < TIMES - 1)
        await page.locator('.tab', { hasText: 'DeepTwist Dashboard' }).locator('.codicon-close').click();
    }
    console.log(`  with the dashboard: ${opened.join(', ')} ms`);

    writeCurves(writeFinishedRun(file, 0, { overrides: [`training.steps=${FEW}`] }), FEW);
    const chosen: number[] = [];
    await openContainer(page);
    const experiment = page.locator('.part.sidebar .monaco-list-row', { hasText: /lenet-300-100-prune.*runs/ });
    await experiment.locator('.monaco-tl-twistie').click();
    await collectGarbage(page);
    const most = watchMemory(window);
    for (let i = 0; i < TIMES; i++) {
      await choose(page, FEW);
      await choose(page, POINTS);
      chosen.push(await curvesShown(page, POINTS));
    }
    console.log(`  chosen in the tree: ${chosen.join(', ')} ms`);

    const whenChosen = most() - before;
    await collectGarbage(page);
    const settled = privateMemory(window) - before;
    const empty = await emptyPage(page);
    console.log(
      `  memory: grown by ${whenOpened.map(mb).join(', ')} MB, by ${mb(whenChosen)} while runs are chosen, ` +
        `in the end ${mb(settled)}; an empty page ${mb(empty)}`,
    );
    return [
      beside(2000, 'a run of 1,000,000 points: chosen in the tree', median(chosen), 'ms'),
      beside(2000, 'a run of 1,000,000 points: with the dashboard', median(opened), 'ms'),
      beside(
        300,
        'memory of a dashboard that is opened with it, the most',
        (Math.max(...whenOpened) + empty) / MB,
        'MB',
      ),
      beside(300, `memory of one that changes to it ${TIMES} times in a row`, (whenChosen + empty) / MB, 'MB'),
    ];
  });
}

const mb = (bytes: number) => (bytes / MB).toFixed(0);

/** Clicks a run in the tree, where its length tells it from the other. */
async function choose(page: Page, points: number): Promise<void> {
  await page
    .locator('.part.sidebar .monaco-list-row', { hasText: `steps=${points}` })
    .first()
    .click();
  await curvesShown(page, points);
}

/** Milliseconds from the last press of a key or the mouse. */
async function curvesShown(page: Page, points: number): Promise<number> {
  const pressed = await lastInput(page);
  const shown = await until(`the curves of ${points} points`, async () =>
    (await drawn(page).catch(() => undefined))?.snapshots.find(
      ({ rows, painted }) => rows === points && painted > pressed,
    ),
  );
  return shown.painted - pressed;
}

async function collectGarbage(page: Page): Promise<void> {
  const devTools = await page.context().newCDPSession(page);
  await devTools.send('HeapProfiler.collectGarbage');
  await devTools.detach();
}

/** Bytes of a process that shows an empty page. */
async function emptyPage(page: Page): Promise<number> {
  const browser = page.context().browser()!;
  const known = await renderers(browser);
  const context = await browser.newContext();
  await (await context.newPage()).goto('about:blank');
  await sleep(1000);
  const added = (await renderers(browser)).filter((pid) => !known.includes(pid));
  const memory = Math.max(...added.map(privateMemory));
  await context.close();
  return memory;
}
