/** @file Over an experiment: run it, run it again, compare its runs, export the last one, and how that went. */
import type { CodeLens, Command } from 'vscode-languageserver/node';
import { formatCount } from '../../protocol/formatQuantity.ts';
import { resultText } from '../../protocol/run/resultText.ts';
import { isUnderWay } from '../../runs/run.ts';
import type { ExperimentDocument, KnownRun, Surroundings } from '../experimentDocument.ts';
import { fileOf } from '../openDocuments.ts';

const RERUN = '$(debug-rerun) Rerun';

/**
 * Commands of the extension; for the copy that a run keeps, what can be done with that run; none for a text that is no file. The file is
 * given as the text of its URI; a run as the path of its folder, which is its key.
 */
export async function codeLenses(
  document: ExperimentDocument,
  { runs, others, keptIn }: Surroundings,
): Promise<CodeLens[]> {
  const { root } = document.json;
  const { uri } = document.text;
  if (root?.type !== 'object' || fileOf(uri) === undefined) return [];
  const { start } = document.rangeOf({ start: root.offset, end: root.offset });
  const lens = (title: string, command: string, argument: string): CodeLens => ({
    range: { start, end: start },
    command: { title, command: `deeptwist.${command}`, arguments: [argument] } satisfies Command,
  });
  if (keptIn !== undefined) {
    const own = [...runs, ...others].find(({ path }) => path === keptIn);
    return own ? [lens(RERUN, 'rerun', own.path)] : [];
  }
  const [last] = runs;
  const ofSweep = [...sweepLenses(document, runs), ...searchLenses(document, runs)];
  if (!last) return [lens('$(play) Run', 'runExperiment', uri), ...ofSweep];
  return [
    ...ofSweep,
    lens('$(play) Run', 'runExperiment', uri),
    lens(RERUN, 'rerun', last.path),
    ...(runs.length > 1 ? [lens(`Compare (${runs.length})`, 'compareWithLast', uri)] : []),
    ...(last.state === 'finished'
      ? [
          lens('$(export) Export…', 'exportModel', last.path),
          lens('$(pulse) Sensitivity…', 'measureSensitivity', last.path),
        ]
      : []),
    lens(
      await stateText(last),
      isUnderWay(last.state) ? 'openDashboard' : 'showRunsOfFile',
      isUnderWay(last.state) ? last.path : uri,
    ),
  ];
}

/** Above `sweep`: start it, and look at what it came to. */
function sweepLenses(document: ExperimentDocument, runs: readonly KnownRun[]): CodeLens[] {
  return lensesAbove(document, 'sweep', [
    ['$(run-all) Run Sweep', 'runSweep'],
    ...(haveSweep(runs) ? [['$(layers) Open Sweep', 'openSweep'] as const] : []),
  ]);
}

/** Above `target`: find the settings that reach it, and look at the search. */
function searchLenses(document: ExperimentDocument, runs: readonly KnownRun[]): CodeLens[] {
  return lensesAbove(document, 'target', [
    ['$(target) Find Settings…', 'findSettings'],
    ...(haveSweep(runs) ? [['$(layers) Open Search', 'openSweep'] as const] : []),
  ]);
}

/** A search is a sweep whose runs are decided one after the other. */
function haveSweep(runs: readonly KnownRun[]): boolean {
  return runs.some(({ record }) => record.sweep !== undefined);
}

/** Lenses above a setting; none if the file does not have it. */
function lensesAbove(
  document: ExperimentDocument,
  setting: string,
  lenses: readonly (readonly [title: string, command: string])[],
): CodeLens[] {
  const key = document.json.rangeOfKey([setting]);
  if (!key) return [];
  const { start } = document.rangeOf(key);
  return lenses.map(([title, command]) => ({
    range: { start, end: start },
    command: { title, command: `deeptwist.${command}`, arguments: [document.text.uri] } satisfies Command,
  }));
}

/** `last: accuracy 98.30% · 46.1x smaller`, `running: step 1,200`. */
async function stateText(run: KnownRun): Promise<string> {
  const { state, record } = run;
  const step = state === 'running' ? await run.step?.() : undefined;
  if (step !== undefined) return `running: step ${formatCount(step)}`;
  if (isUnderWay(state)) return state;
  return `last: ${resultText(record) ?? state}`;
}
