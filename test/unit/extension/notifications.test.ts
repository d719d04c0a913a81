/** What is said of a run that has ended, with the buttons of it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { notifyOfEnds } from '../../../extension/notifications.ts';
import { StoredRun } from '../../../extension/runs/storedRun.ts';
import type { Run } from '../../../server/runs/run.ts';
import { temporaryRun } from '../runs/temporaryRun.ts';
import { editor, EventEmitter, resetEditor, shown } from './fakeEditor.ts';

vi.mock('vscode', () => import('./fakeEditor.ts'));

beforeEach(resetEditor);

type Changes = Parameters<Run['update']>[0];

/** The kind of the message, its text and its buttons. */
async function saidOf(changes: Changes, { checkpoint = false } = {}) {
  const run = await temporaryRun();
  if (checkpoint) {
    mkdirSync(run.checkpointsFolder, { recursive: true });
    writeFileSync(join(run.checkpointsFolder, 'step-000000010.json'), '{}');
  }
  await run.update(changes);
  const stored = await StoredRun.open(run.path, undefined);
  const ends = new EventEmitter<object>();
  const launcher = { exitOf: () => undefined };
  const notifying = notifyOfEnds({ onDidEnd: ends.event } as never, launcher as never);
  ends.fire({ run: stored, state: stored.state });
  notifying.dispose();
  await vi.waitFor(() => expect(shown).not.toEqual([]));
  const [kind, text, ...buttons] = shown.splice(0)[0];
  return { kind, text, buttons: buttons.map((button) => (button as { title: string }).title) };
}

const failed = (failure: Changes['failure']): Changes => ({ state: 'failed', failure });
const result = { metric: 'accuracy', test: 0.0974, byteRatio: 8.31, weightRatio: 8 };

test.each([
  ['without a checkpoint', { message: 'It broke.' }, false, 'Show Log'],
  ['with one', { message: 'It broke.' }, true, 'Resume'],
  ['for its settings', { message: 'It diverged.', fault: 'divergence' }, true, 'Show Log'],
] as const)('a run that failed %s', async (_, failure, checkpoint, last) => {
  const { kind, text, buttons } = await saidOf(failed(failure), { checkpoint });
  expect([kind, text]).toEqual(['error', `lenet failed: ${failure.message}`]);
  expect(buttons).toEqual(['Run File As It Is Now', 'Open Dashboard', last]);
});

test('a run that failed in the code of its model leads there', async () => {
  const { buttons } = await saidOf(failed({ message: 'It threw (/home/net.ts:6:9)' }));
  expect(buttons).toEqual(['Open net.ts, Line 6', 'Run File As It Is Now', 'Open Dashboard']);
});

test('a finished run', async () => {
  expect(await saidOf({ state: 'finished', result })).toEqual({
    kind: 'information',
    text: 'lenet finished: accuracy 9.74% · would be 8.31x smaller',
    buttons: ['Open Dashboard', 'Export Model…'],
  });
});

test('a finished run whose loss has risen is warned of, also where only problems are to be told', async () => {
  const said = {
    kind: 'warning',
    text:
      'lenet finished: accuracy 9.74% · would be 8.31x smaller. Its loss rose from 2.3 to 14.5: the training may have diverged. ' +
      'Try a smaller learning rate.',
    buttons: ['Open Dashboard', 'Open Experiment File'],
  };
  const diverged: Changes = { state: 'finished', result: { ...result, lossRise: { first: 2.3, last: 14.5 } } };
  expect(await saidOf(diverged)).toEqual(said);
  editor.settings = { notifications: 'problems' };
  expect(await saidOf(diverged)).toEqual(said);
});
