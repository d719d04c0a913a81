/** @file Pictures of a sweep of short runs of the sample's network, and of the sensitivity of its layers. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { openFile, runCommand, webview } from '../../scripts/editor/workbench.js';
import { EXPERIMENT, recordOf, type EditorSession } from '../e2e/editorSession.ts';
import { changeFile, finished, startRun, takeInThemes } from './pictures.ts';

const SWEPT = 'swept.deeptwist.jsonc';
const STEPS = 300;
const vary = {
  'compression.layers.fc1.rate': [0.8, 0.95, 0.98],
  'compression.distortEvery': [10, 100],
  'training.seed': [1, 2],
};

/** The example with as few steps as tell rates apart, a validation split, and a sweep. */
function prepare(session: EditorSession): string {
  const folder = join(session.workspace, 'mnist');
  const file = join(folder, SWEPT);
  writeFileSync(file, readFileSync(join(folder, EXPERIMENT)));
  changeFile(file, [
    [/"steps": \d+/, `"steps": ${STEPS}`],
    [/"from": \d+, "to": \d+/, '"from": 50, "to": 200'],
    [/("type": "mnist")/, '$1, "validation": 5000'],
    [/\}\s*$/, `  "sweep": { "vary": ${JSON.stringify(vary)} },\n}\n`],
  ]);
  return folder;
}

export async function sweep(session: EditorSession, page: Page): Promise<void> {
  const folder = prepare(session);
  await openFile(page, SWEPT);
  await runCommand(page, 'DeepTwist: Run Sweep');
  const count = Object.values(vary).reduce((product, values) => product * values.length, 1);
  const runs = join(folder, '.deeptwist', 'runs');
  const own = () => (existsSync(runs) ? readdirSync(runs).filter((id) => /-swept\.\d+$/.test(id)) : []);
  const isOver = () => own().length === count && own().every((id) => recordOf(join(runs, id)).state === 'finished');
  while (!isOver()) await sleep(1000);
  await runCommand(page, 'View: Close All Editors');
  await runCommand(page, 'View: Close Panel');
  await runCommand(page, 'DeepTwist: Open Sweep');
  await webview(page).locator('.rows-table tbody th').first().waitFor();
  await takeInThemes(session, page, 'sweep', ['light', 'dark']);
}

export async function sensitivity(session: EditorSession, page: Page): Promise<void> {
  prepare(session);
  const run = await startRun(session, page, SWEPT);
  await finished(run);
  await runCommand(page, 'View: Close Primary Side Bar');
  await openFile(page, SWEPT);
  await runCommand(page, 'DeepTwist: Measure Sensitivity');
  await page.locator('.quick-input-widget input.input').waitFor();
  await page.keyboard.press('Enter');
  await webview(page).locator('.map-table tbody td').nth(2).hover();
  await takeInThemes(session, page, 'sensitivity', ['light', 'dark']);
}
