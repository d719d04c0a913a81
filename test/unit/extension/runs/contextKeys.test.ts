/** The context keys by which package.json offers commands only while there is a run that they act on. */
import { expect, test, vi } from 'vitest';
import { keepContextKeys } from '../../../../extension/runs/contextKeys.ts';
import type { LivePhase } from '../../../../server/protocol/wire/sidecar.ts';
import { EventEmitter, shown } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

test('VS Code is told when the first run begins, when one is paused and continued, and when the last has ended', () => {
  const changed = new EventEmitter<unknown>();
  const progressed = new EventEmitter<unknown>();
  const run = (phase?: LivePhase) => ({ liveState: phase && { phase } });
  const store = { active: [] as ReturnType<typeof run>[], onDidChange: changed.event, onDidProgress: progressed.event };
  const keeping = keepContextKeys(store as never);
  /** What VS Code is told since the last call. */
  const told = () => shown.splice(0).map(([, , key, value]) => [key, value]);
  changed.fire(undefined);
  expect(told()).toEqual([]);

  const [one, other] = [run(), run('training')];
  store.active = [one, other];
  changed.fire(one);
  changed.fire(other);
  expect(told()).toEqual([['deeptwist.hasRunInProgress', true]]);

  one.liveState = { phase: 'paused' };
  progressed.fire(one);
  progressed.fire(one);
  expect(told()).toEqual([['deeptwist.hasPausedRun', true]]);
  one.liveState = { phase: 'training' };
  progressed.fire(one);
  expect(told()).toEqual([['deeptwist.hasPausedRun', false]]);

  one.liveState = { phase: 'paused' };
  progressed.fire(one);
  store.active = [];
  changed.fire(one);
  expect(told()).toEqual([
    ['deeptwist.hasPausedRun', true],
    ['deeptwist.hasRunInProgress', false],
    ['deeptwist.hasPausedRun', false],
  ]);
  keeping.dispose();
  store.active = [other];
  changed.fire(other);
  expect(told()).toEqual([]);
});
