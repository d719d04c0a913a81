import { expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { codeLenses } from '../../../../server/language/features/codeLenses.ts';
import { ExperimentDocument, type KnownRun } from '../../../../server/language/experimentDocument.ts';
import { around, knownRun, open, pruneText, URI } from './experiments.ts';

const lenses = async (runs: KnownRun[], text = pruneText) =>
  (await codeLenses(open(text), around({ runs }))).map(({ command }) => [
    command?.title,
    command?.command,
    command?.arguments,
  ]);

const finished = knownRun('20261126-101500-prune');

test('a file without runs can be run', async () => {
  expect(await lenses([])).toEqual([['$(play) Run', 'deeptwist.runExperiment', [URI]]]);
});

test('one with runs can be run again, compared and exported, and says how the last one went', async () => {
  expect(await lenses([finished, knownRun('20261125-101500-prune')])).toEqual([
    ['$(play) Run', 'deeptwist.runExperiment', [URI]],
    ['$(debug-rerun) Rerun', 'deeptwist.rerun', [finished.path]],
    ['Compare (2)', 'deeptwist.compareWithLast', [URI]],
    ['$(export) Export…', 'deeptwist.exportModel', [finished.path]],
    ['$(pulse) Sensitivity…', 'deeptwist.measureSensitivity', [finished.path]],
    ['last: accuracy 98.30% · 47.1x smaller', 'deeptwist.showRunsOfFile', [URI]],
  ]);
});

test.each<[Partial<KnownRun>, string]>([
  [{ state: 'running', step: () => Promise.resolve(1200) }, 'running: step 1,200'],
  [{ state: 'running' }, 'running'],
  [{ state: 'queued' }, 'queued'],
  [{ state: 'failed' }, 'last: failed'],
  [{ state: 'interrupted' }, 'last: interrupted'],
])('a last run that is %j', async (run, title) => {
  const shown = await lenses([knownRun('20261126-101500-prune', run)]);
  expect(shown.at(-1)?.[0]).toBe(title);
  expect(shown.map(([, command]) => command)).not.toContain('deeptwist.exportModel');
});

test('they are above the first line of the settings, below comments; none without settings', async () => {
  const [lens] = await codeLenses(open(pruneText), around());
  expect(lens.range.start).toEqual({ line: 1, character: 0 });
  expect(await lenses([], '// nothing yet')).toEqual([]);
});

test.each(['untitled:Untitled-1', 'untitled:/home/user/project/new.deeptwist.jsonc'])(
  'what is no file yet has none, since there is nothing to train: %s',
  async (uri) => {
    const text = pruneText.replace(/\}\s*$/, ', "sweep": { "vary": { "training.seed": [1, 2] } } }');
    expect(await codeLenses(new ExperimentDocument(TextDocument.create(uri, 'deeptwist', 1, text)), around())).toEqual(
      [],
    );
  },
);

test('the copy that a run keeps has one lens, which trains that run again; the copy of a sweep has none', async () => {
  const runs = [finished, knownRun('20261125-101500-prune')];
  const text = pruneText.replace(/\}\s*$/, ', "sweep": { "vary": { "training.seed": [1, 2] } } }');
  const of = async (keptIn: string) =>
    (await codeLenses(open(text), around({ runs, keptIn }))).map(({ command }) => command);
  const rerun = { title: '$(debug-rerun) Rerun', command: 'deeptwist.rerun', arguments: [runs[1].path] };
  expect(await of(runs[1].path)).toEqual([rerun]);
  expect(await of('/home/user/project/.deeptwist/sweeps/20261125-101500-prune')).toEqual([]);
});

test('a sweep can be started above its key, and looked at where it has runs', async () => {
  const text = pruneText.replace(/\}\s*$/, ', "sweep": { "vary": { "training.seed": [1, 2] } } }');
  const ofSweep = async (runs: KnownRun[]) =>
    (await lenses(runs, text)).filter(([, command]) => String(command).endsWith('Sweep'));
  const start = ['$(run-all) Run Sweep', 'deeptwist.runSweep', [URI]];
  expect(await ofSweep([finished])).toEqual([start]);
  const { record } = finished;
  const run = { ...finished, record: { ...record, sweep: '20261126-101500-prune' } };
  expect(await ofSweep([run])).toEqual([start, ['$(layers) Open Sweep', 'deeptwist.openSweep', [URI]]]);
  const [lens] = await codeLenses(open(text), around());
  expect(lens.command?.command).toBe('deeptwist.runExperiment');
});

test('the settings for a target can be found above its key, and the search looked at where it has runs', async () => {
  const text = pruneText.replace(/\}\s*$/, ', "target": { "maxDrop": 0.005 } }');
  const ofTarget = async (runs: KnownRun[]) =>
    (await lenses(runs, text)).filter(([title]) => /Settings|Search/.test(String(title)));
  const find = ['$(target) Find Settings…', 'deeptwist.findSettings', [URI]];
  expect(await ofTarget([finished])).toEqual([find]);
  const run = { ...finished, record: { ...finished.record, sweep: '20261126-101500-prune' } };
  expect(await ofTarget([run])).toEqual([find, ['$(layers) Open Search', 'deeptwist.openSweep', [URI]]]);
});
