/**
 * @file `npm run screenshots`: the dashboard in a real VS Code while runs are trained, in every kind of theme: a pruning run
 * beside the code, a low-rank run in the side bar; and what a run left of its weights, next to the model's code. The pictures go to `docs/images/`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openFile, runCommand, webview } from '../../scripts/editor/workbench.js';
import { root } from '../../scripts/root.js';
import { EXPERIMENT, EditorSession, eventsOf, recordOf } from '../e2e/editorSession.ts';

const images = join(root, 'docs', 'images');
const OWN_MODEL = 'my-model.deeptwist.jsonc';
const LOW_RANK = 'lenet-300-100-low-rank.deeptwist.jsonc';
/** By name of the picture: name in VS Code, and the class that it gives to the window. */
const themes = {
  light: ['Default Light Modern', 'vs'],
  dark: ['Default Dark Modern', 'vs-dark'],
  'high-contrast': ['Default High Contrast', 'hc-black'],
  'high-contrast-light': ['Default High Contrast Light', 'hc-light'],
} as const;

const settings = {
  'editor.minimap.enabled': false,
  'editor.fontSize': 13,
  'breadcrumbs.enabled': false,
  'workbench.layoutControl.enabled': false,
  'window.commandCenter': false,
  'deeptwist.notifications': 'none',
  // TypeScript does not find TensorFlow.js: the trainer brings it.
  'typescript.validate.enable': false,
  // Above, it would hide the lenses.
  'editor.hover.above': false,
};
/** From here on, histograms show what the schedule did. */
const SHOWN_AT = 6000;
/** For the page to draw itself in another theme. */
const DRAWING_MS = 1500;

/** Experiments that are still trained when the last picture is taken, and do soon what is worth seeing. */
function prepareExperiments(session: EditorSession): void {
  const change = (name: string, changes: readonly [RegExp, string][]) => {
    const file = join(session.workspace, 'mnist', name);
    const text = changes.reduce((changed, [from, to]) => changed.replace(from, to), readFileSync(file, 'utf8'));
    writeFileSync(file, text);
  };
  change(EXPERIMENT, [
    [/"steps": \d+/, '"steps": 100000'],
    [/"from": \d+, "to": \d+/, '"from": 1000, "to": 5000'],
    [/^.*8000 steps of plain training.*\n/m, ''],
  ]);
  change(LOW_RANK, [
    [/"steps": \d+/, '"steps": 100000'],
    [/"from": \d+/, '"from": 1000'],
  ]);
  // This one comes to its end: then there is a spectrum, too.
  change(OWN_MODEL, [
    [/"steps": \d+/, '"steps": 2000'],
    [/"from": \d+, "to": \d+/, '"from": 400, "to": 1500'],
  ]);
}

/** Opens the experiment and runs it. */
async function startRun(session: EditorSession, page: Page, file: string): Promise<string> {
  const before = session.runs().length;
  await openFile(page, file);
  await runCommand(page, 'DeepTwist: Run');
  while (session.runs().length === before) await sleep(100);
  return session.runs().at(-1)!;
}

async function reached(run: string, step: number): Promise<void> {
  while ((eventsOf(run).at(-1)?.step ?? 0) < step) {
    const { state } = recordOf(run);
    if (state !== 'running' && state !== 'queued') throw new Error(`${run} is ${state} before step ${step}.`);
    await sleep(500);
  }
}

async function finished(run: string): Promise<void> {
  while (recordOf(run).state !== 'finished') {
    if (recordOf(run).state === 'failed') throw new Error(`${run} failed.`);
    await sleep(500);
  }
}

/** Rests the mouse on the function that makes a layer, until its picture is there. */
async function hoverLayer(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0);
  const line = page.locator('.view-line', { hasText: `name: '${name}'` });
  await line.locator('span', { hasText: /^dense$/ }).hover();
  await page.locator('.monaco-hover img').waitFor();
}

async function takeInAllThemes(
  session: EditorSession,
  page: Page,
  name: string,
  pose: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  for (const [theme, [label, className]] of Object.entries(themes)) {
    session.setSettings({ ...settings, 'workbench.colorTheme': label });
    await page.locator(`.monaco-workbench.${className}`).waitFor();
    await pose();
    await sleep(DRAWING_MS);
    const path = join(images, `${name}-${theme}.png`);
    await page.screenshot({ path });
    console.log(relative(root, path));
  }
}

export async function takeScreenshots(): Promise<void> {
  mkdirSync(images, { recursive: true });
  const session = await EditorSession.open();
  try {
    prepareExperiments(session);
    session.setSettings(settings);
    const page = await session.window({ width: 1440, height: 900 });
    const pruning = await startRun(session, page, EXPERIMENT);
    await runCommand(page, 'View: Close Primary Side Bar');
    await runCommand(page, 'DeepTwist: Open Dashboard to the Side');
    await webview(page).getByRole('tab', { name: 'Weights' }).click();
    await reached(pruning, SHOWN_AT);
    await takeInAllThemes(session, page, 'pruning-beside-code');
    await session.stop(pruning);

    await runCommand(page, 'View: Close All Editors');
    const lowRank = await startRun(session, page, LOW_RANK); // Shows the dashboard in the side bar, for want of a panel.
    await page
      .getByRole('treeitem', { name: /low-rank/ })
      .locator('.monaco-tl-twistie')
      .click();
    await webview(page).getByRole('tab', { name: 'Spectrum' }).click();
    await reached(lowRank, SHOWN_AT);
    await takeInAllThemes(session, page, 'low-rank-in-sidebar');
    await session.stop(lowRank);

    await runCommand(page, 'View: Close All Editors');
    const own = await startRun(session, page, OWN_MODEL);
    await finished(own);
    await runCommand(page, 'View: Close Primary Side Bar');
    await runCommand(page, 'View: Close All Editors');
    await page.setViewportSize({ width: 1120, height: 700 });
    await openFile(page, 'my-model.ts');
    await takeInAllThemes(session, page, 'model', () => hoverLayer(page, 'hidden'));
  } finally {
    await session.dispose();
  }
}
