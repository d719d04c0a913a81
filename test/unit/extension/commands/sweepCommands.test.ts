/** What is told when the terminal of a sweep or a search has ended. */
import { beforeEach, expect, test, vi } from 'vitest';
import { SearchCommand } from '../../../../extension/commands/searchCommand.ts';
import { SweepCommands } from '../../../../extension/commands/sweepCommands.ts';
import type { followSweep } from '../../../../extension/tasks/followSweep.ts';
import type { SweptRunRow } from '../../../../server/protocol/wire/sweep.ts';
import { resetEditor, shown } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));
// A terminal that ends at once.
vi.mock('../../../../extension/tasks/sweepTask.ts', () => ({ startSweep: () => Promise.resolve({}) }));
const following = vi.hoisted(() => ({ ended: Promise.resolve() }));
vi.mock('../../../../extension/tasks/followSweep.ts', () => ({
  followSweep: (...[, , , , onEnd]: Parameters<typeof followSweep>) => (following.ended = onEnd('/sweeps/lenet')),
}));

beforeEach(resetEditor);

test.each<[SweptRunRow['state'][], unknown[][]]>([
  [['finished', 'early'], [['information', 'Sweep lenet has ended: 1 of 2 runs finished.', 'Open Sweep']]],
  [['finished', 'failed', 'finished'], [['warning', 'Sweep lenet has ended: 2 of 3 runs finished, 1 failed.', 'Open Sweep']]], // prettier-ignore
  [['failed', 'failed'], [['warning', 'Sweep lenet has ended: 0 of 2 runs finished, 2 failed.', 'Open Sweep']]],
  ...(['planned', 'queued', 'running', 'stopped', 'interrupted'] as const).map(
    (state): [SweptRunRow['state'][], unknown[][]] => [['failed', state], []],
  ),
])('runs that are %j', async (states, told) => {
  const rows = states.map(row);
  let isRead = false;
  const sweep = { id: 'lenet', path: '/sweeps/lenet', experiment: '/lenet.deeptwist.jsonc', size: rows.length, rows };
  const read = () => {
    // Before the terminal begins, there is something to go on with.
    const content = isRead ? sweep : { ...sweep, rows: rows.map((row) => ({ ...row, state: 'planned' as const })) };
    isRead = true;
    return Promise.resolve(content);
  };
  const commands = new SweepCommands({ sweeps: { read } } as never, {} as never, {} as never, {} as never);
  await commands.continueSweep({ kind: 'sweep', path: '/sweeps/lenet' });
  await following.ended;
  expect(shown).toEqual(told);
});

test.each<[SweptRunRow['state'][], unknown[][]]>([
  [['finished', 'failed'], [['warning', 'The search for lenet has ended before its result: a run of it failed.', 'Open Search']]], // prettier-ignore
  [['finished', 'failed', 'stopped'], []],
  [['finished', 'finished'], []],
])('a search without a result, whose runs are %j', async (states, told) => {
  const sweep = { id: 'lenet', path: '/sweeps/lenet', experiment: '/lenet.deeptwist.jsonc', size: states.length, rows: states.map(row), search: { target: '' } }; // prettier-ignore
  const read = () => Promise.resolve(sweep);
  await new SearchCommand({ sweeps: { read } } as never, {} as never, {} as never).continueSearch(sweep.path, 'lenet');
  await following.ended;
  expect(shown).toEqual(told);
});

function row(state: SweptRunRow['state'], i: number): SweptRunRow {
  return { line: i + 1, id: `lenet.${i + 1}`, key: `/runs/lenet.${i + 1}`, vary: [], seed: 1, state };
}
