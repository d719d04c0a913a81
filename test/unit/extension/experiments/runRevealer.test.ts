/** The run that starts is selected in the tree, as soon as that is seen. */
import { beforeEach, expect, test, vi } from 'vitest';
import { RunRevealer } from '../../../../extension/experiments/runRevealer.ts';
import { EventEmitter } from '../fakeEditor.ts';

const visibility = new EventEmitter<{ visible: boolean }>();
const view = {
  visible: true,
  onDidChangeVisibility: visibility.event,
  reveal: (node: unknown) => Promise.resolve(revealed.push(node)),
};
const revealed: unknown[] = [];
const tree = { nodeOf: (run: unknown) => Promise.resolve(run) };

function show(visible: boolean): void {
  view.visible = visible;
  visibility.fire({ visible });
}

beforeEach(() => {
  revealed.length = 0;
  show(true);
});

test('a run that starts while the tree is hidden is selected when the tree is seen, the last of several, and once', async () => {
  const revealer = new RunRevealer({ tree, view } as never, { warn: () => undefined });
  await revealer.reveal('first' as never);
  expect(revealed).toEqual(['first']);
  show(false);
  await revealer.reveal('second' as never);
  await revealer.reveal('third' as never);
  expect(revealed).toEqual(['first']);
  show(true);
  await vi.waitFor(() => expect(revealed).toEqual(['first', 'third']));
  show(false);
  show(true);
  await revealer.reveal('fourth' as never);
  expect(revealed).toEqual(['first', 'third', 'fourth']);
  revealer.dispose();
});
