/** @file Questions one after the other, with a way back; turning away from one turns away from all. */
import { QuickInputButtons, QuickPickItemKind, window } from 'vscode';
import type { QuickPickItem } from 'vscode';

/** The question that is asked. */
export interface Step {
  readonly title: string;
  /** From 1. */
  readonly step: number;
  readonly totalSteps: number;
}

/** What a question came to. */
export type Answer<T> = { readonly value: T } | 'back' | 'cancelled';

export interface Pick<T> extends QuickPickItem {
  readonly value?: T;
}

/** One of the items. */
export function pickOne<T>(
  step: Step,
  { placeholder, items, before }: { placeholder: string; items: readonly Pick<T>[]; before?: T },
): Promise<Answer<T>> {
  const pick = quickPick(step, placeholder, items);
  const choices = items.filter(({ kind }) => kind !== QuickPickItemKind.Separator);
  // Without one, Enter would accept nothing.
  pick.activeItems = [choices.find(({ value }) => before !== undefined && value === before) ?? choices[0]];
  return shown(pick, () => pick.selectedItems[0]?.value);
}

/** Several of the items, all of them to begin with; at least one. */
export function pickSome<T>(
  step: Step,
  { placeholder, items, before }: { placeholder: string; items: readonly Pick<T>[]; before?: readonly T[] },
): Promise<Answer<readonly T[]>> {
  const pick = quickPick(step, placeholder, items);
  pick.canSelectMany = true;
  pick.selectedItems = items.filter(({ value }) => value !== undefined && (before?.includes(value) ?? true));
  return shown(pick, () => {
    const values = pick.selectedItems.flatMap(({ value }) => (value === undefined ? [] : [value]));
    return values.length === 0 ? undefined : values;
  });
}

/** A text; `problem` says what is wrong with it. */
export function askText(
  step: Step,
  { prompt, value, problem }: { prompt: string; value: string; problem: (text: string) => string | undefined },
): Promise<Answer<string>> {
  const input = window.createInputBox();
  Object.assign(input, { ...step, prompt, value, ignoreFocusOut: true });
  input.validationMessage = problem(value);
  input.onDidChangeValue((text) => (input.validationMessage = problem(text)));
  return shown(input, () => (problem(input.value) === undefined ? input.value : undefined));
}

function quickPick<T>(step: Step, placeholder: string, items: readonly Pick<T>[]) {
  const pick = window.createQuickPick<Pick<T>>();
  Object.assign(pick, { ...step, placeholder, items, ignoreFocusOut: true });
  pick.matchOnDescription = true;
  return pick;
}

type Input = ReturnType<typeof window.createInputBox> | ReturnType<typeof window.createQuickPick>;

/** @param result the answer; undefined while there is none that can be accepted */
function shown<T>(input: Input, result: () => T | undefined): Promise<Answer<T>> {
  if ((input.step ?? 1) > 1) input.buttons = [QuickInputButtons.Back];
  return new Promise((resolve) => {
    input.onDidTriggerButton((button) => {
      if (button !== QuickInputButtons.Back) return;
      resolve('back');
      input.dispose();
    });
    input.onDidAccept(() => {
      const value = result();
      if (value === undefined) return;
      resolve({ value });
      input.dispose();
    });
    input.onDidHide(() => {
      resolve('cancelled');
      input.dispose();
    });
    input.show();
  });
}
