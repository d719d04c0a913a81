/** @file Pictures of language models that are trained from the start: perplexity and spectra at low rank, and quantization levels. */
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { runCommand, webview } from '../../scripts/editor/workbench.js';
import { root } from '../../scripts/root.js';
import type { EditorSession } from '../e2e/editorSession.ts';
import { changeFile, reached, startRun, takeInThemes } from './pictures.ts';

const FOLDER = 'language-model';
const LOW_RANK = 'small-low-rank.deeptwist.jsonc';
const QUANTIZE = 'one-layer-quantize.deeptwist.jsonc';
/** Steps at which there is enough to see: evaluations, distortions. */
const LOW_RANK_SHOWN_AT = 1000;
const QUANTIZE_SHOWN_AT = 400;

export async function languageModel(session: EditorSession, page: Page): Promise<void> {
  prepareExperiments(session.workspace);
  const lowRank = await startRun(session, page, LOW_RANK, FOLDER);
  await runCommand(page, 'View: Close Primary Side Bar');
  await runCommand(page, 'DeepTwist: Open Dashboard to the Side');
  await reached(lowRank, LOW_RANK_SHOWN_AT);
  await takeInThemes(session, page, 'language-model-perplexity', ['light', 'dark']);
  await webview(page).getByRole('tab', { name: 'Spectrum' }).click();
  await takeInThemes(session, page, 'language-model-spectrum', ['light', 'dark']);
  await session.stop(lowRank);

  await runCommand(page, 'View: Focus First Editor Group');
  const quantize = await startRun(session, page, QUANTIZE, FOLDER);
  await webview(page).getByRole('tab', { name: 'Weights' }).click();
  await reached(quantize, QUANTIZE_SHOWN_AT);
  await takeInThemes(session, page, 'language-model-levels', ['light', 'dark']);
  await session.stop(quantize);
}

/** On the Brown corpus, without the pre-trained model, with distortions and evaluations after a minute. */
function prepareExperiments(workspace: string): void {
  const folder = join(workspace, FOLDER);
  cpSync(join(root, 'examples', FOLDER), folder, {
    recursive: true,
    filter: (path) => !path.endsWith('.deeptwist') && !path.endsWith('brown'),
  });
  execFileSync(process.execPath, [join(folder, 'prepare.js')], { cwd: workspace });
  const change = (name: string, changes: readonly (readonly [RegExp, string])[]) =>
    changeFile(join(folder, name), changes);
  const start: [RegExp, string] = [/^ *"start".*\n/m, ''];
  const evaluate: [RegExp, string] = [/"batchSize": (\d+)/, '"batchSize": $1,\n    "evaluateEvery": 200'];
  change(LOW_RANK, [start, evaluate, [/"distortEvery": \d+/, '"distortEvery": 50']]);
  change(QUANTIZE, [
    start,
    evaluate,
    [/"distortEvery": \d+/, '"distortEvery": 100'],
    // The levels of one set of scales can be drawn.
    [/"lstm\*": \{ "bits": 2 \}/, '"lstm*": { "bits": 2, "scales": "matrix" }'],
  ]);
}
