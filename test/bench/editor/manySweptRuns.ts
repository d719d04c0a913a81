/** @file A sweep of a thousand runs: how long a user waits for its page, and for its rows after a letter in the filter. */
import { join } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { EXPERIMENT } from '../../e2e/editorSession.ts';
import { beside, median, type Limited } from '../bench.ts';
import { lastInput } from './lastInput.ts';
import { inNewWindows, withEditor } from './session.ts';
import { writeFinishedSweep } from './storedSweeps.ts';
import { within } from './until.ts';

const RUNS = 1000;
const TIMES = 3;
const FILTER = 'rate > 0.7';

export function measureManySweptRuns(): Promise<Limited[]> {
  return withEditor({}, async (session) => {
    await writeFinishedSweep(join(session.workspace, 'mnist', EXPERIMENT), RUNS);
    const opened: number[] = [];
    const frames: number[] = [];
    const filtered: number[] = [];
    await inNewWindows(session, TIMES, async (page) => {
      await page
        .locator('.part.sidebar .monaco-list-row', { hasText: '1 sweep' })
        .locator('.monaco-tl-twistie')
        .click();
      const sweep = page.locator('.part.sidebar .monaco-list-row', { hasText: `${RUNS} of ${RUNS} finished` });
      await sweep.click();
      opened.push((await within('the rows of the sweep', rowsShown(page))) - (await lastInput(page)));
      frames.push(await emptyFrameTime(page));
      filtered.push(...(await filterTimes(page)));
      await page.keyboard.press('Control+W');
    });
    console.log(
      `  opened: ${opened.join(', ')} ms, of which the browser waited for VS Code's empty frame: ${frames.map((ms) => ms.toFixed(0)).join(', ')} ms`,
    );
    console.log(`  filtered: ${filtered.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    return [
      beside(1000, `page of a sweep of ${RUNS} runs: opened`, median(opened), 'ms'),
      beside(60, `page of a sweep of ${RUNS} runs: a letter in its filter`, median(filtered), 'ms'),
    ];
  });
}

/** VS Code's frame of the page of the sweep: the newest of the frames, since the side bar has one, too. */
function outerFrame(page: Page): FrameLocator {
  return page.locator('iframe.webview').filter({ visible: true }).last().contentFrame();
}

function sweepPage(page: Page): FrameLocator {
  return outerFrame(page).locator('iframe#active-frame').contentFrame();
}

/** Milliseconds that the browser took to load the empty document into which VS Code writes a page, before anything of the page is asked for. */
function emptyFrameTime(page: Page): Promise<number> {
  return outerFrame(page)
    .locator('iframe#active-frame')
    .evaluate(
      () => performance.getEntriesByType('resource').find(({ name }) => name.includes('fake.html'))?.duration ?? 0,
    );
}

/** When rows are on the screen, milliseconds since the epoch. */
async function rowsShown(page: Page): Promise<number> {
  const table = sweepPage(page).locator('.rows-table');
  await sweepPage(page).locator('.rows-table tbody th').first().waitFor();
  return table.evaluate(() => new Promise<number>((done) => requestAnimationFrame(() => done(Date.now()))));
}

/** Milliseconds from each letter of a filter to the frame that shows what it leaves. */
async function filterTimes(page: Page): Promise<number[]> {
  const search = sweepPage(page).getByRole('searchbox', { name: 'Filter' });
  const times: number[] = [];
  for (let end = 1; end <= FILTER.length; end++)
    times.push(
      await search.evaluate(
        (input: HTMLInputElement, text) =>
          new Promise<number>((done) => {
            const start = performance.now();
            input.value = text;
            input.dispatchEvent(new Event('input'));
            // The page draws in the first frame; the second begins when that one is on the screen.
            requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
          }),
        FILTER.slice(0, end),
      ),
    );
  return times;
}
