/**
 * @file The moving picture of README.md: an experiment is run, its curves and its weights change as the pruning rate rises, and its model becomes a
 * file. Each frame is a picture of the window, taken when the run has come to a step; how long it is shown is not how long it took.
 */
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openFile, runCommand, webview } from '../../scripts/editor/workbench.js';
import { root } from '../../scripts/root.js';
import { EXPERIMENT, type EditorSession } from '../e2e/editorSession.ts';
import { animatedPng, type Frame } from './animatedPng.ts';
import { DRAWING_MS, finished, images, newRun } from './pictures.ts';

/** A short run, and the steps that the dashboard shows when frames are taken: the rate rises from step 1500 to 3000. */
const STEPS = 6000;
const CURVES_AT = [800, 1500, 1600, 1800, 2000];
const WEIGHTS_AT = [2100, 2200, 2400, 2700, 3000, 4000];
const [FRAME_MS, LONG_MS] = [700, 2500];
/** The single frames, to look at. */
const parts = join(root, 'out', 'run-to-file');

export async function movingPicture(session: EditorSession, page: Page): Promise<void> {
  const frames: Frame[] = [];
  const take = async (milliseconds = FRAME_MS) => {
    await sleep(milliseconds === FRAME_MS ? DRAWING_MS / 4 : DRAWING_MS);
    const png = await page.screenshot({ path: join(parts, `${frames.length}.png`) });
    frames.push({ png, milliseconds });
  };
  const size = page.viewportSize()!;
  await page.setViewportSize({ width: 1120, height: 700 });
  session.setSteps(STEPS);
  await openFile(page, EXPERIMENT);
  await runCommand(page, 'DeepTwist: Open Dashboard to the Side');
  if (await page.locator('.part.sidebar').isVisible()) await runCommand(page, 'View: Close Primary Side Bar');
  const lens = page.locator('.codelens-decoration a', { hasText: /^\s*Run$/ });
  await lens.waitFor();
  await take(LONG_MS);

  const run = await newRun(session, 'mnist', () => lens.click());
  await webview(page).getByText('Training', { exact: true }).waitFor();
  await takeAt(page, CURVES_AT, take);
  await webview(page).getByRole('tab', { name: 'Weights' }).click();
  await takeAt(page, WEIGHTS_AT, take);
  await finished(run);
  await take(LONG_MS);

  await runCommand(page, 'DeepTwist: Export Model');
  const exported = page.locator('.notification-list-item-message', { hasText: /^Exported / });
  while (!(await exported.isVisible())) {
    // The run, the format, the place: what is proposed.
    if (await page.locator('.quick-input-widget').isVisible()) await page.keyboard.press('Enter');
    await sleep(DRAWING_MS);
  }
  await take(2 * LONG_MS);
  await page.setViewportSize(size);

  const path = join(images, 'run-to-file.png');
  writeFileSync(path, animatedPng(frames));
  console.log(relative(root, path));
}

/** Takes a frame each time when the dashboard shows a step, or when the run has ended. */
async function takeAt(page: Page, steps: readonly number[], take: () => Promise<void>): Promise<void> {
  const progress = webview(page).locator('.state-facts');
  for (const step of steps) {
    for (;;) {
      const [, shown] = /^([\d,]+)\s+of/.exec(await progress.innerText()) ?? [];
      if (shown === undefined || Number(shown.replaceAll(',', '')) >= step) break;
      await sleep(500);
    }
    await take();
  }
}
