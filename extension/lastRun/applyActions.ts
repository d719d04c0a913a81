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
  type Event,
  type TextDocument,
} from 'vscode';
import { Disposable } from '../dispose.ts';
import { EXPERIMENT_GLOB } from '../runs/experimentFiles.ts';
import type { LastRunValues } from './lastRunValues.ts';

/** White space and comments in front of the settings, where the language server has its lenses. */
const BEFORE_ROOT = /^(?:\s|\/\/.*|\/\*[^]*?\*\/)*/;

export class ApplyActions extends Disposable implements CodeLensProvider, CodeActionProvider {
  readonly #values: LastRunValues;
  readonly #changed = this.register(new EventEmitter<void>());

  readonly onDidChangeCodeLenses: Event<void> = this.#changed.event;

  constructor(values: LastRunValues) {
    super();
    this.#values = values;
    const selector = { pattern: EXPERIMENT_GLOB, scheme: 'file' };
    this.register(
      values.onDidChange(() => {
        this.#changed.fire();
        this.#tellMenu();
      }),
    );
    this.register(window.onDidChangeActiveTextEditor(() => this.#tellMenu()));
    this.register(languages.registerCodeLensProvider(selector, this));
    const providedCodeActionKinds = [CodeActionKind.QuickFix];
    this.register(languages.registerCodeActionsProvider(selector, this, { providedCodeActionKinds }));
  }

  #tellMenu(): void {
    const document = window.activeTextEditor?.document;
    const applicable = document && this.#values.of(document)?.lines.some((line) => line.applied.length > 0);
    void commands.executeCommand('setContext', 'deeptwist.applicable', applicable === true);
  }

  /** In the line of the other lenses, so that no line moves while a value is typed. */
  provideCodeLenses(document: TextDocument): CodeLens[] {
    const comparison = this.#values.of(document);
    const count = comparison?.lines.flatMap(({ applied }) => applied).length ?? 0;
    if (count === 0) return [];
    const title =
      count === 1
        ? l10n.t('$(debug-step-over) Apply From Next Distortion (1 value)')
        : l10n.t('$(debug-step-over) Apply From Next Distortion ({0} values)', count);
    const start = document.positionAt(BEFORE_ROOT.exec(document.getText())?.[0].length ?? 0);
    return [new CodeLens(new Range(start, start), { ...applyCommand(document), title })];
  }

  provideCodeActions(document: TextDocument, { start, end }: Range): CodeAction[] {
    const comparison = this.#values.of(document);
    const lines = comparison?.lines.filter(({ line }) => line >= start.line && line <= end.line) ?? [];
    if (!comparison?.live || lines.length === 0) return [];
    if (lines.some(({ applied }) => applied.length > 0)) {
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
}

function applyCommand({ uri }: TextDocument): Command {
  return {
    title: l10n.t('Apply From Next Distortion'),
    command: 'deeptwist.applyFromNextDistortion',
    arguments: [uri.toString()],
  };
}
