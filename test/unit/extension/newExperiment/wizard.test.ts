/** The questions of New Experiment, as VS Code is asked to show them. */
import { beforeEach, expect, test, vi } from 'vitest';
import { newExperiment } from '../../../../extension/newExperiment/wizard.ts';
import type { FoundModel } from '../../../../server/protocol/wire/proposals.ts';
import { resetEditor, shown } from '../fakeEditor.ts';

interface Item {
  readonly label: string;
  readonly detail?: string;
  readonly alwaysShow?: boolean;
}
interface QuickPick {
  readonly placeholder: string;
  readonly items: readonly Item[];
}

const asked = vi.hoisted(() => ({
  models: [] as FoundModel[],
  picks: [] as QuickPick[],
  /** The answer to a question; undefined where the user turns away. */
  answer: (_: QuickPick): Item | undefined => undefined,
}));
vi.mock('../../../../extension/newExperiment/proposer.ts', () => ({
  Proposer: class {
    dispose(): void {}
  },
}));
vi.mock('../../../../extension/newExperiment/findChoices.ts', () => ({
  findChoices: () => Promise.resolve({ models: asked.models, data: [], teachers: [] }),
}));
vi.mock('vscode', async () => {
  const fake = await import('../fakeEditor.ts');
  const createQuickPick = () => {
    const [accepted, hidden] = [new fake.EventEmitter<void>(), new fake.EventEmitter<void>()];
    return {
      placeholder: '',
      items: [] as Item[],
      selectedItems: [] as Item[],
      onDidAccept: accepted.event,
      onDidHide: hidden.event,
      onDidTriggerButton: () => undefined,
      show() {
        asked.picks.push(this);
        const item = asked.answer(this);
        this.selectedItems = item ? [item] : [];
        (item ? accepted : hidden).fire();
      },
      dispose: () => undefined,
    };
  };
  return {
    ...fake,
    QuickPickItemKind: { Separator: -1, Default: 0 },
    window: { createQuickPick, withProgress: (_: unknown, work: () => unknown) => work() },
    workspace: { asRelativePath: (path: string) => path },
  };
});

const builtin = { reference: 'builtin:lenet-300-100' };
const needs = { context: {} } as never;

beforeEach(() => {
  resetEditor();
  Object.assign(asked, { models: [builtin], picks: [], answer: () => undefined });
});

test('where the workspace has no model, a row that stays whatever is typed says so, and leads to Import Model', async () => {
  const isImport = ({ label }: Item) => label === 'Import Model…';
  asked.answer = ({ items }) => items.find(isImport);
  expect(await newExperiment(needs)).toBeUndefined();
  const [{ items }] = asked.picks;
  expect(items.filter(({ alwaysShow }) => alwaysShow)).toMatchObject([
    { label: 'Import Model…', detail: expect.stringContaining('This workspace has no model yet.') },
  ]);
  expect(asked.picks).toHaveLength(1);
  expect(shown).toEqual([['command', 'deeptwist.importModel']]);
});

test('where the workspace has models, no row says that it has none', async () => {
  const own = ['a', 'b'].map((exportName) => ({ reference: '/project/model.ts', exportName }));
  asked.models = [...own, builtin];
  expect(await newExperiment(needs)).toBeUndefined();
  const [{ items }] = asked.picks;
  expect(items.map(({ label }) => label)).toContain('model.ts');
  expect(items.filter(({ alwaysShow }) => alwaysShow)).toEqual([]);
});
