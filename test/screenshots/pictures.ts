/** @file What every scene of the pictures needs: runs that are far enough, and the window in each theme. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openFile, runCommand } from '../../scripts/editor/workbench.js';
import { root } from '../../scripts/root.js';
import { eventsOf, recordOf, type EditorSession } from '../e2e/editorSession.ts';

export const images = join(root, 'docs', 'images');
/** By name of the picture: name in VS Code, and the class that it gives to the window. */
export const themes = {
  light: ['Default Light Modern', 'vs'],
  dark: ['Default Dark Modern', 'vs-dark'],
  'high-contrast': ['Default High Contrast', 'hc-black'],
  'high-contrast-light': ['Default High Contrast Light', 'hc-light'],
} as const;

export const settings = {
  'editor.minimap.enabled': false,
  'editor.fontSize': 13,
  'breadcrumbs.enabled': false,
  'workbench.layoutControl.enabled': false,
  'window.commandCenter': false,
  'deeptwist.notifications': 'none',
  'workbench.editorAssociations': { '*.safetensors': 'deeptwist.modelFile' },
  // Above, it would hide the lenses.
  'editor.hover.above': false,
};
/** Time for the page to draw itself in another theme, milliseconds. */
export const DRAWING_MS = 1500;

/** Changes a file by patterns and what takes their place. */
export function changeFile(file: string, changes: readonly (readonly [RegExp, string])[]): void {
  const text = changes.reduce((changed, [from, to]) => changed.replace(from, to), readFileSync(file, 'utf8'));
  writeFileSync(file, text);
}

/** Opens the experiment and runs it. */
export function startRun(session: EditorSession, page: Page, file: string, folder = 'mnist'): Promise<string> {
  return newRun(session, folder, async () => {
    await openFile(page, file);
    await runCommand(page, 'DeepTwist: Run Experiment');
  });
}

/** The folder of the run that `start` begins, when it is recorded. */
export async function newRun(session: EditorSession, folder: string, start: () => Promise<void>): Promise<string> {
  const before = session.runs(folder).length;
  await start();
  while (session.runs(folder).length === before) await sleep(100);
  const run = session.runs(folder).at(-1)!;
  while (!existsSync(join(run, 'run.json'))) await sleep(100);
  return run;
}

export async function reached(run: string, step: number): Promise<void> {
  while ((eventsOf(run).at(-1)?.step ?? 0) < step) {
    const { state } = recordOf(run);
    if (state !== 'running' && state !== 'queued') throw new Error(`${run} is ${state} before step ${step}.`);
    await sleep(500);
  }
}

export async function finished(run: string): Promise<void> {
  while (recordOf(run).state !== 'finished') {
    if (recordOf(run).state === 'failed') throw new Error(`${run} failed.`);
    await sleep(500);
  }
}

type Theme = keyof typeof themes;

/** @param pose what is done in each theme before the picture is taken */
export async function takeInThemes(
  session: EditorSession,
  page: Page,
  name: string,
  chosen: readonly Theme[] = Object.keys(themes) as Theme[],
  pose: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  mkdirSync(images, { recursive: true });
  for (const theme of chosen) {
    const [label, className] = themes[theme];
    session.setSettings({ ...settings, 'workbench.colorTheme': label });
    await page.locator(`.monaco-workbench.${className}`).waitFor();
    await pose();
    await sleep(DRAWING_MS);
    const path = join(images, `${name}-${theme}.png`);
    await page.screenshot({ path });
    console.log(relative(root, path));
  }
}
