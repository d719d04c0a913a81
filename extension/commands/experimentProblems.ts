/** @file What is wrong with an experiment that a user wants to run, at its places in the file. */
import { Diagnostic, DiagnosticSeverity, Range, Uri, commands, l10n, languages, window, workspace } from 'vscode';
import { openProblems } from '../../server/protocol/experiment/openSettings.ts';
import { checkExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import type { Problem } from '../../server/protocol/experiment/problem.ts';
import { readExperiment } from '../../server/runs/loadExperiment.ts';
import { Disposable } from '../dispose.ts';
import { showError } from '../messages.ts';

/** What a changed value makes wrong is marked until the file changes; what the file itself has wrong, the language server marks. */
export class ExperimentProblems extends Disposable {
  readonly #diagnostics = this.register(languages.createDiagnosticCollection('deeptwist'));

  constructor() {
    super();
    this.register(workspace.onDidChangeTextDocument(({ document }) => this.#diagnostics.delete(document.uri)));
  }

  /**
   * Saves the file and checks it.
   * @param options.mayBeOpen true where a search is to find the values that layers do not have yet
   * @returns its text, or undefined when it cannot be saved or run: why is shown
   */
  async check(
    file: string,
    { overrides = [], mayBeOpen = false }: { overrides?: readonly string[]; mayBeOpen?: boolean } = {},
  ): Promise<string | undefined> {
    const document = await workspace.openTextDocument(Uri.file(file));
    // The process that trains reads the file.
    if (document.isDirty && !(await document.save())) {
      const message = l10n.t('Cannot run the experiment: {0} could not be saved. Save it, then run it again.', file);
      const show = l10n.t('Open File');
      void showError(message, show).then(async (answer) => {
        if (answer === show) await window.showTextDocument(document);
      });
      return undefined;
    }
    // VS Code reads a file that another program has changed a moment later.
    const { text } = await readExperiment(file);
    const { problems } = checkExperiment(text, overrides, mayBeOpen ? undefined : openProblems);
    this.#diagnostics.set(document.uri, problems.filter(({ override }) => override !== undefined).map(diagnostic));
    if (problems.length === 0) return text;
    const [first] = problems;
    const message =
      problems.length === 1
        ? l10n.t('Cannot run the experiment: {0}', described(first))
        : l10n.t('Cannot run the experiment: it has {0} problems. First: {1}', problems.length, described(first));
    const open = l10n.t('Open File');
    // A search can find the values where nothing else is wrong.
    const isOpen = checkExperiment(text, overrides).problems.length === 0;
    const answers = isOpen ? [l10n.t('Find Settings…'), open] : [open];
    void showError(message, ...answers).then(async (answer) => {
      if (answer === open) await window.showTextDocument(document, { selection: rangeOf(first) });
      else if (answer !== undefined) await commands.executeCommand('deeptwist.findSettings', document.uri);
    });
    return undefined;
  }
}

function described({ path, message, override }: Problem): string {
  return [override, path, message].filter((part) => part !== undefined && part !== '').join(': ');
}

function diagnostic(problem: Problem): Diagnostic {
  const { path, message } = problem;
  const entry = new Diagnostic(
    rangeOf(problem),
    path === '' ? message : `${path}: ${message}`,
    DiagnosticSeverity.Error,
  );
  entry.source = 'DeepTwist';
  return entry;
}

/** Lines and columns of a problem count from 1. */
function rangeOf({ line, column }: Problem): Range {
  return new Range(line - 1, column - 1, line - 1, column);
}
