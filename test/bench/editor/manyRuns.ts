/** @file Thousands of runs below one experiment: how long a user waits for the rows of the tree. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { beside, median, type Limited } from '../bench.ts';
import { EXPERIMENT } from '../../e2e/editorSession.ts';
import { lastInput } from './lastInput.ts';
import { inNewWindows, withEditor } from './session.ts';
import { writeFinishedRun } from './storedRuns.ts';
import { within } from './until.ts';

const RUNS = 5000;
const TIMES = 4;
/** The window's own work after its start: it watches the folders, too. */
const REST_MS = 3000;

export function measureManyRuns(): Promise<Limited[]> {
  return withEditor({}, async (session) => {
    const file = join(session.workspace, 'mnist', EXPERIMENT);
    for (let i = 0; i < RUNS; i++) writeFinishedRun(file, 60 * i);
    const expanded: number[] = [];
    const revealed: number[] = [];
    await inNewWindows(session, TIMES, async (page) => {
      const experiment = page.locator('.part.sidebar .monaco-list-row', { hasText: `${RUNS} runs` });
      await experiment.waitFor();
      await sleep(REST_MS);
      await experiment.locator('.monaco-tl-twistie').click();
      expanded.push(await rowsShown(page));

      await page.keyboard.press('Control+B');
      await page.locator('.part.sidebar').waitFor({ state: 'hidden' });
      await page.keyboard.press('Control+B');
      revealed.push(await rowsShown(page));
    });
    console.log(`  expanded: ${expanded.join(', ')} ms; revealed: ${revealed.join(', ')} ms`);
    return [
      beside(200, `${RUNS} runs in the tree: expanded in a new window`, median(expanded), 'ms'),
      beside(200, `${RUNS} runs in the tree: the view is shown again`, median(revealed), 'ms'),
    ];
  });
}

/** Milliseconds from the last press of a key or the mouse until rows of runs are on the screen. */
async function rowsShown(page: Page): Promise<number> {
  const shown = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const look = () => {
          const rows = [...document.querySelectorAll<HTMLElement>('.part.sidebar .monaco-list-row[aria-level="2"]')];
          if (rows.filter((row) => row.offsetParent !== null && row.textContent?.includes('46.1')).length < 5)
            requestAnimationFrame(look);
          else requestAnimationFrame(() => resolve(Date.now()));
        };
        look();
      }),
  );
  return (await within('the rows of the runs', shown)) - (await lastInput(page));
}
