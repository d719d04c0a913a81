/** The steps of the walkthrough that are ticked by a context key, as the manifest names it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { completeWalkthrough, experimentMade } from '../../../../extension/walkthrough/completion.ts';
import { root } from '../../../../scripts/root.js';
import { EventEmitter, resetEditor, shown } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

beforeEach(resetEditor);

interface Step {
  readonly id: string;
  readonly completionEvents: readonly string[];
}
const { contributes } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  contributes: { walkthroughs: readonly { steps: readonly Step[] }[] };
};

/** The steps that the context keys tick which were set since the last call. */
function ticked(): string[] {
  const keys = shown.splice(0).filter(([, command, , value]) => command === 'setContext' && value === true);
  const events = keys.map(([, , key]) => `onContext:${String(key)}`);
  const steps = contributes.walkthroughs[0].steps.filter(({ completionEvents }) =>
    completionEvents.some((event) => events.includes(event)),
  );
  return steps.map(({ id }) => id);
}

test('a run that begins ticks the step of running, however it was started; one that finishes, that of watching', () => {
  const changed = new EventEmitter<unknown>();
  const ended = new EventEmitter<unknown>();
  const completing = completeWalkthrough({ onDidChange: changed.event, onDidEnd: ended.event } as never);
  changed.fire(undefined);
  changed.fire({ isActive: false });
  expect(ticked()).toEqual([]);
  changed.fire({ isActive: true });
  expect(ticked()).toEqual(['run']);
  ended.fire({ state: 'failed' });
  expect(ticked()).toEqual([]);
  ended.fire({ state: 'finished' });
  expect(ticked()).toEqual(['watch']);
  completing.dispose();
  changed.fire({ isActive: true });
  expect(ticked()).toEqual([]);
});

test('a new experiment ticks the step of creating one', () => {
  experimentMade();
  expect(ticked()).toEqual(['experiment']);
});
