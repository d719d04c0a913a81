/** @file A picture of a packed model in the editor of model files: the compressed model of a run, with a weight's histogram and spectrum. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openFile, runCommand, webview } from '../../scripts/editor/workbench.js';
import type { EditorSession } from '../e2e/editorSession.ts';
import { changeFile, finished, startRun, takeInThemes } from './pictures.ts';

const EXPERIMENT = 'my-model.deeptwist.jsonc';
const MODEL = 'my-model.safetensors';

export async function modelFile(session: EditorSession, page: Page): Promise<void> {
  const model = join(session.workspace, 'mnist', MODEL);
  // Quick Open finds what was there when the window was first searched.
  writeFileSync(model, '');
  changeFile(join(session.workspace, 'mnist', EXPERIMENT), [
    [/"steps": \d+/, '"steps": 2000'],
    [/"from": \d+, "to": \d+/, '"from": 400, "to": 1500'],
  ]);
  const run = await startRun(session, page, EXPERIMENT);
  await finished(run);
  copyFileSync(join(run, 'model', 'compressed.safetensors'), model);
  await runCommand(page, 'View: Close Primary Side Bar');
  await runCommand(page, 'View: Close All Editors');
  const size = page.viewportSize()!;
  await page.setViewportSize({ width: 1280, height: 760 });
  await openFile(page, MODEL);
  await webview(page).getByRole('button', { name: 'hidden/kernel' }).click();
  await webview(page).getByRole('button', { name: 'Compute spectrum' }).click();
  await webview(page).getByText('of the energy is in the first').waitFor();
  await takeInThemes(session, page, 'model-file', ['light', 'dark']);
  await page.setViewportSize(size);
}
