/**
 * @file `npm run screenshots [SCENE…]`: the dashboard in a real VS Code while runs are trained, in every kind of theme: a pruning run
 * beside the code, a low-rank run in the side bar, language models, a model of the user's own, a sweep,
 * the sensitivity of layers, and a moving picture of a run. The pictures go to `docs/images/`.
 */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { runCommand, webview } from '../../scripts/editor/workbench.js';
import { EXPERIMENT, EditorSession } from '../e2e/editorSession.ts';
import { languageModel } from './languageModels.ts';
import { modelFile } from './modelFile.ts';
import { movingPicture } from './movingPicture.ts';
import { ownModel } from './ownModel.ts';
import { sensitivity, sweep } from './sweeps.ts';
import { changeFile, reached, settings, startRun, takeInThemes } from './pictures.ts';

const LOW_RANK = 'lenet-300-100-low-rank.deeptwist.jsonc';
/** From here on, histograms show what the schedule did. */
const SHOWN_AT = 6000;

/** Experiments that are still trained when the last picture is taken, and do soon what is worth seeing. */
function prepareExperiments(session: EditorSession): void {
  const change = (name: string, changes: readonly (readonly [RegExp, string])[]) =>
    changeFile(join(session.workspace, 'mnist', name), changes);
  change(EXPERIMENT, [
    [/"steps": \d+/, '"steps": 100000'],
    [/"from": \d+, "to": \d+/, '"from": 1000, "to": 5000'],
    [/^.*8000 steps of plain training.*\n/m, ''],
  ]);
  change(LOW_RANK, [
    [/"steps": \d+/, '"steps": 100000'],
    [/"from": \d+/, '"from": 1000'],
  ]);
}

type Scene = (session: EditorSession, page: Page) => Promise<void>;

async function pruningBesideCode(session: EditorSession, page: Page): Promise<void> {
  const run = await startRun(session, page, EXPERIMENT);
  // The side bar opens to show the run.
  await webview(page).getByRole('tab', { name: 'Weights' }).waitFor();
  await runCommand(page, 'View: Close Primary Side Bar');
  await runCommand(page, 'DeepTwist: Open Dashboard to the Side');
  await webview(page).getByRole('tab', { name: 'Weights' }).click();
  await reached(run, SHOWN_AT);
  await takeInThemes(session, page, 'pruning-beside-code');
  await session.stop(run);
}

async function lowRankInSideBar(session: EditorSession, page: Page): Promise<void> {
  const run = await startRun(session, page, LOW_RANK); // Shows the dashboard in the side bar, for want of a panel.
  await page.getByRole('treeitem', { name: /low-rank/, expanded: true }).waitFor();
  await webview(page).getByRole('tab', { name: 'Spectrum' }).click();
  await reached(run, SHOWN_AT);
  await takeInThemes(session, page, 'low-rank-in-sidebar');
  await session.stop(run);
}

const scenes: Readonly<Record<string, Scene>> = {
  'pruning-beside-code': pruningBesideCode,
  'low-rank-in-sidebar': lowRankInSideBar,
  'model-file': modelFile,
  'own-model': ownModel,
  'moving-picture': movingPicture,
  'language-model': languageModel,
  sweep,
  sensitivity,
};

/** @param chosen names of scenes; all of them where none is named */
export async function takeScreenshots(chosen: readonly string[]): Promise<void> {
  const unknown = chosen.find((name) => !(name in scenes));
  if (unknown !== undefined) throw new Error(`There is no scene ${unknown}, but ${Object.keys(scenes).join(', ')}.`);
  const session = await EditorSession.open();
  try {
    prepareExperiments(session);
    session.setSettings(settings);
    const page = await session.window({ width: 1440, height: 900 });
    for (const [name, take] of Object.entries(scenes)) {
      if (chosen.length > 0 && !chosen.includes(name)) continue;
      await runCommand(page, 'View: Close All Editors');
      await take(session, page);
    }
  } finally {
    await session.dispose();
  }
}
