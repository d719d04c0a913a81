/**
 * @file Pictures of a model of the user's own after a run: what is left of its weights, next to its code; and its experiment file
 * with lenses, hints, the last run's values and a mistake, beside the dashboard.
 */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openFile, runCommand, webview } from '../../scripts/editor/workbench.js';
import type { EditorSession } from '../e2e/editorSession.ts';
import { changeFile, finished, startRun, takeInThemes } from './pictures.ts';

const EXPERIMENT = 'my-model.deeptwist.jsonc';

export async function ownModel(session: EditorSession, page: Page): Promise<void> {
  const file = join(session.workspace, 'mnist', EXPERIMENT);
  // It comes to its end: then there is a spectrum, too.
  changeFile(file, [
    [/"steps": \d+/, '"steps": 2000'],
    [/"from": \d+, "to": \d+/, '"from": 400, "to": 1500'],
  ]);
  const run = await startRun(session, page, EXPERIMENT);
  await finished(run);
  await runCommand(page, 'View: Close Primary Side Bar');
  await runCommand(page, 'DeepTwist: Open Dashboard to the Side');
  await webview(page).getByRole('tab', { name: 'Weights' }).click();
  // As somebody who goes on: one value changed, one name misspelt.
  changeFile(file, [
    [/"hidden": \{ "rate": 0.95 \}/, '"hidden": { "rate": 0.97 }'],
    [/"logits"/, '"logit"'],
  ]);
  await page.locator('.squiggly-error').first().waitFor();
  await takeInThemes(session, page, 'experiment-file');

  await runCommand(page, 'View: Close All Editors');
  const size = page.viewportSize()!;
  await page.setViewportSize({ width: 1120, height: 700 });
  await openFile(page, 'my-model.ts');
  await takeInThemes(session, page, 'model', undefined, () => hoverLayer(page, 'hidden'));
  await page.setViewportSize(size);
}

/** Rests the mouse on the function that makes a layer, until its picture is there, and what TypeScript says of the function. */
async function hoverLayer(page: Page, name: string): Promise<void> {
  const line = page.locator('.view-line', { hasText: `name: '${name}'` });
  const hover = page.locator('.monaco-hover', { has: page.locator('img'), hasText: 'DenseLayerArgs' });
  // TypeScript may still be loading; and a window that was just drawn anew may miss that the mouse came.
  for (let isShown = false; !isShown;) {
    await page.mouse.move(0, 0);
    await line.locator('span', { hasText: /^dense$/ }).hover();
    isShown = await hover.waitFor({ timeout: 10_000 }).then(
      () => true,
      () => false,
    );
  }
}
