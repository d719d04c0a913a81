/**
 * @file `npm run screenshots`: the dashboard in a real VS Code, beside the code and in the sidebar, with a pruning run and a
 * low-rank run that are being trained; light, dark and high contrast. The pictures go to `docs/images/`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openFile, runCommand, webview } from '../../scripts/editor/workbench.js';
import { root } from '../../scripts/root.js';
import { EXPERIMENT, EditorSession, eventsOf, recordOf } from '../e2e/editorSession.ts';

const images = join(root, 'docs', 'images');
const LOW_RANK = 'lenet-300-100-low-rank.deeptwist.jsonc';
const themes = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  'high-contrast': 'Default High Contrast',
};

const settings = {
  'deeptwist.runs.parallel': 2,
  'workbench.activityBar.location': 'default',
  'editor.minimap.enabled': false,
  'breadcrumbs.enabled': false,
  'window.title': '${activeEditorShort}',
};

/** Long enough to be live in every picture, with what is worth seeing at its beginning. */
function prepareExperiments({ workspace }: EditorSession): void {
  const prune = join(workspace, 'mnist', EXPERIMENT);
  const lowRank = join(workspace, 'mnist', LOW_RANK);
  const change = (file: string, from: RegExp, to: string) =>
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
  change(prune, /"from": \d+, "to": \d+/, '"from": 1000, "to": 4000');
  change(prune, /"steps": \d+/, '"steps": 40000');
  change(
    prune,
    /8000 steps of plain training, then 25% rising to the target, fast at first, until step 13000/,
    '1000 steps of plain training, then 25% rising to the target, fast at first, until step 4000',
  );
  change(lowRank, /"steps": \d+/, '"steps": 40000');
  change(lowRank, /"from": \d+/, '"from": 1000');
}

async function startRun(session: EditorSession, page: Page, file: string): Promise<string> {
  const before = session.runs().length;
  await openFile(page, file);
  await runCommand(page, 'DeepTwist: Run');
  while (session.runs().length === before) await sleep(100);
  return session.runs().at(-1)!;
}

async function reached(run: string, step: number): Promise<void> {
  for (;;) {
    const { state } = recordOf(run);
    if (state !== 'running' && state !== 'queued') throw new Error(`${run} is ${state}.`);
    if (state === 'running' && (eventsOf(run).at(-1)?.step ?? 0) >= step) return;
    await sleep(500);
  }
}

export async function takeScreenshots(): Promise<void> {
  mkdirSync(images, { recursive: true });
  const session = await EditorSession.open({ settings: { ...settings, 'workbench.colorTheme': themes.dark } });
  try {
    prepareExperiments(session);
    const page = await session.window({ width: 1500, height: 1000 });
    const prune = await startRun(session, page, EXPERIMENT);
    await page.screenshot({ path: join(images, 'a.png') });
    await runCommand(page, 'DeepTwist: Open Dashboard to the Side');
    await reached(prune, 1000);
    await page.screenshot({ path: join(images, 'b.png') });
    await page.locator('.activitybar .action-label[aria-label^="DeepTwist"]').first().click();
    await sleep(3000);
    await page.screenshot({ path: join(images, 'c.png') });
    const lowRank = await startRun(session, page, LOW_RANK);
    await reached(lowRank, 1000);
    await page.screenshot({ path: join(images, 'd.png') });
    console.log(await webview(page).locator('body').innerText());
    console.log(await webview(page, 1).locator('body').innerText());
  } finally {
    for (const run of session.runs()) {
      const { state, process: trainer } = recordOf(run);
      if (state === 'running' && trainer) process.kill(trainer.pid, 'SIGTERM');
    }
    await session.dispose();
  }
}
