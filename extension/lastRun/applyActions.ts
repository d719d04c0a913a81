/** @file Offers what was changed in an experiment file to its run that trains: as a lens, and at the changed values. */
import {
  CodeAction,
  CodeActionKind,
  CodeLens,
  EventEmitter,
  Range,
  commands,
  l10n,
  languages,
  window,
  type CodeActionProvider,
  type CodeLensProvider,
  type Command,
  type Disposable,
  type Event,
  type TextDocument,
} from 'vscode';
import { EXPERIMENT_GLOB } from '../runs/experimentFiles.ts';
import type { LastRunValues } from './lastRunValues.ts';

export class ApplyActions implements CodeLensProvider, CodeActionProvider, Disposable {
  readonly #values: LastRunValues;
  readonly #changed = new EventEmitter<void>();
  readonly #disposables: Disposable[];

  readonly onDidChangeCodeLenses: Event<void> = this.#changed.event;

  constructor(values: LastRunValues) {
    this.#values = values;
    const selector = { pattern: EXPERIMENT_GLOB, scheme: 'file' };
    this.#disposables = [
      this.#changed,
      values.onDidChange(() => {
        this.#changed.fire();
        this.#tellMenu();
      }),
      window.onDidChangeActiveTextEditor(() => this.#tellMenu()),
      languages.registerCodeLensProvider(selector, this),
      languages.registerCodeActionsProvider(selector, this, { providedCodeActionKinds: [CodeActionKind.QuickFix] }),
    ];
  }

  #tellMenu(): void {
    const document = window.activeTextEditor?.document;
    const applicable = document && this.#values.of(document)?.lines.some((line) => line.applicable);
    void commands.executeCommand('setContext', 'deeptwist.applicable', applicable === true);
  }

  /** In the first line, so that no line moves while a value is typed. */
  provideCodeLenses(document: TextDocument): CodeLens[] {
    const comparison = this.#values.of(document);
    const count =
      comparison?.lines.filter(({ applicable }) => applicable).flatMap(({ changes }) => changes).length ?? 0;
    if (count === 0) return [];
    const title =
      count === 1
        ? l10n.t('$(debug-step-over) Apply From Next Distortion (1 value)')
        : l10n.t('$(debug-step-over) Apply From Next Distortion ({0} values)', count);
    return [new CodeLens(new Range(0, 0, 0, 0), { ...applyCommand(document), title })];
  }

  provideCodeActions(document: TextDocument, { start, end }: Range): CodeAction[] {
    const comparison = this.#values.of(document);
    const lines = comparison?.lines.filter(({ line }) => line >= start.line && line <= end.line) ?? [];
    if (!comparison?.live || lines.length === 0) return [];
    if (lines.some(({ applicable }) => applicable)) {
      const apply = new CodeAction(l10n.t('Apply From Next Distortion'), CodeActionKind.QuickFix);
      apply.command = applyCommand(document);
      apply.isPreferred = true;
      return [apply];
    }
    const title = l10n.t('Rerun With This Value');
    const run = new CodeAction(title, CodeActionKind.QuickFix);
    run.command = { title, command: 'deeptwist.runExperiment', arguments: [document.uri.toString()] };
    return [run];
  }

  dispose(): void {
    for (const disposable of this.#disposables) disposable.dispose();
  }
}

function applyCommand({ uri }: TextDocument): Command {
  return {
    title: l10n.t('Apply From Next Distortion'),
    command: 'deeptwist.applyFromNextDistortion',
    arguments: [uri.toString()],
  };
}
