/** What New Experiment looks for, and that cancelling ends it: the thread itself, with files that it reads for ever. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import { findChoices } from '../../../../extension/newExperiment/findChoices.ts';
import { Proposer } from '../../../../extension/newExperiment/proposer.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';

const editor = vi.hoisted(() => ({ onFind: () => undefined as void }));
vi.mock('vscode', () => ({
  Uri: class {
    static joinPath = ({ fsPath }: { fsPath: string }, ...names: string[]) => ({
      fsPath: [fsPath, ...names].join('/'),
    });
  },
  workspace: {
    findFiles() {
      editor.onFind();
      return Promise.resolve([]);
    },
  },
  window: { tabGroups: { activeTabGroup: {} } },
}));

const store = { experiments: () => Promise.resolve([]), runsOf: () => Promise.resolve([]) };

function cancellation() {
  const events = new EventEmitter();
  const token = {
    isCancellationRequested: false,
    onCancellationRequested(listener: () => void) {
      events.on('cancel', listener);
      return { dispose: () => events.off('cancel', listener) };
    },
  };
  const cancel = () => {
    token.isCancellationRequested = true;
    events.emit('cancel');
  };
  return { token: token as never, cancel, listeners: () => events.listenerCount('cancel') };
}

/** @param script of the thread */
async function proposer(script: string): Promise<Proposer> {
  const folder = await temporaryFolder();
  mkdirSync(join(folder, 'dist'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'dist', 'proposals.js'), `import { parentPort } from 'node:worker_threads';\n${script}`);
  return new Proposer({ extensionUri: { fsPath: folder } as never });
}

const answers = (answer: string) => `parentPort.on('message', () => parentPort.postMessage(${answer}));`;

test('a cancelled search ends the thread that reads', async () => {
  const { token, cancel, listeners } = cancellation();
  const found = findChoices(await proposer(`parentPort.on('message', () => { for (;;); });`), store, token);
  setImmediate(cancel);
  expect(await found).toBeUndefined();
  expect(listeners()).toBe(0);
});

test('a search that is cancelled before the thread is asked asks nothing', async () => {
  const { token, cancel } = cancellation();
  editor.onFind = cancel;
  expect(await findChoices(await proposer(answers(`{ problem: 'asked' }`)), store, token)).toBeUndefined();
  editor.onFind = () => undefined;
});

test('what was found comes with the files that can teach; a failure is thrown', async () => {
  const { token } = cancellation();
  const found = await proposer(answers(`{ answer: { models: [], data: [], teachers: ['/m/model.json'] } }`));
  expect(await findChoices(found, store, token)).toEqual({
    models: [],
    data: [],
    teachers: [{ file: '/m/model.json' }],
  });
  found.dispose();
  const failing = await proposer(answers(`{ problem: 'no memory' }`));
  await expect(findChoices(failing, store, token)).rejects.toThrow('no memory');
  failing.dispose();
});
