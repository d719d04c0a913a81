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
import { DRAWING_MS, finished, images, reached, settings } from './pictures.ts';

/** A short run, and the steps at which frames are taken: the rate rises from step 1000 to 2000. */
const STEPS = 4000;
const CURVES_AT = [400, 800, 1100, 1250, 1400];
const WEIGHTS_AT = [1450, 1550, 1650, 1800, 2000, 2600];
const [FRAME_MS, LONG_MS] = [700, 2500];

export async function movingPicture(session: EditorSession, page: Page): Promise<void> {
  const frames: Frame[] = [];
  const take = async (milliseconds = FRAME_MS) => {
    await sleep(DRAWING_MS);
    frames.push({ png: await page.screenshot(), milliseconds });
  };
  const size = page.viewportSize()!;
  await page.setViewportSize({ width: 1120, height: 700 });
  session.setSettings({ ...settings, 'deeptwist.notifications': 'all', 'workbench.colorTheme': 'Default Dark Modern' });
  session.setSteps(STEPS);
  await openFile(page, EXPERIMENT);
  await runCommand(page, 'View: Close Primary Side Bar');
  const lens = page.locator('.codelens-decoration a', { hasText: /^\s*Run$/ });
  await lens.waitFor();
  await take(LONG_MS);

  const before = session.runs().length;
  await lens.click();
  while (session.runs().length === before) await sleep(100);
  const run = session.runs().at(-1)!;
  await runCommand(page, 'DeepTwist: Open Dashboard to the Side');
  await takeAt(run, CURVES_AT, take);
  await webview(page).getByRole('tab', { name: 'Weights' }).click();
  await takeAt(run, WEIGHTS_AT, take);
  await finished(run);
  await take(LONG_MS);

  await runCommand(page, 'DeepTwist: Export Model');
  // The run, the format, the place: what is proposed.
  const exported = page.locator('.notification-list-item-message', { hasText: /^Exported / });
  while (!(await exported.isVisible())) {
    await page.keyboard.press('Enter');
    await sleep(DRAWING_MS);
  }
  await take(2 * LONG_MS);
  await page.setViewportSize(size);

  const path = join(images, 'run-to-file.png');
  writeFileSync(path, animatedPng(frames));
  console.log(relative(root, path));
}

async function takeAt(run: string, steps: readonly number[], take: () => Promise<void>): Promise<void> {
  for (const step of steps) {
    await reached(run, step);
    await take();
  }
}
