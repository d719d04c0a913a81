/** What the braces beside the name of the language say of the last run, while it trains. */
import { beforeEach, expect, test, vi } from 'vitest';
import { LanguageStatus } from '../../../../extension/language/languageStatus.ts';
import { StoredRun } from '../../../../extension/runs/storedRun.ts';
import { identify } from '../../../../server/runs/liveProcess.ts';
import { until } from '../../../until.ts';
import { temporaryRun } from '../../runs/temporaryRun.ts';
import { EventEmitter, editor, languageStatus, resetEditor } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

beforeEach(resetEditor);

test('the phase of the last run is shown as soon as its process tells of it', async () => {
  const run = await temporaryRun();
  await run.update({ state: 'running', process: identify(process.pid) });
  editor.activeFile = '/project/lenet.deeptwist.jsonc';
  const stored = new StoredRun(run, undefined, {});
  const [changed, progressed] = [new EventEmitter<StoredRun | undefined>(), new EventEmitter<StoredRun>()];
  let readings = 0;
  const store = {
    onDidChange: changed.event,
    onDidProgress: progressed.event,
    runsOf: () => Promise.resolve(++readings && [stored]),
  };
  const status = new LanguageStatus({ store, log: { error: expect.unreachable } } as never);
  for (const [phase, text] of [
    ['preparing', 'preparing'],
    ['training', 'running'],
    ['paused', 'paused'],
  ] as const) {
    stored.live = { state: { phase } } as never;
    progressed.fire(stored);
    await until(() => languageStatus['deeptwist.run'].text === `Last run: ${text}`, text);
  }
  // A run tells of its progress several times a second.
  const before = readings;
  for (let i = 0; i < 10; i++) progressed.fire(stored);
  expect(readings).toBe(before);
  status.dispose();
});
