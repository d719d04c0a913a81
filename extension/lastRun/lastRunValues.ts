/** @file The values of the last run behind the lines of an experiment file that differ from them: not text, and updated as one types. */
import {
  EventEmitter,
  MarkdownString,
  Range,
  ThemeColor,
  l10n,
  window,
  workspace,
  type DecorationOptions,
  type Event,
  type TextDocument,
  type TextEditor,
} from 'vscode';
import { commandLink, markdownText } from '../../server/protocol/markdown.ts';
import type { SettingChange } from '../../server/protocol/experiment/settingChanges.ts';
import { Disposable } from '../dispose.ts';
import { isOpenExperiment } from '../runs/experimentFiles.ts';
import { onPhaseChange } from '../runs/phaseChanges.ts';
import type { RunStore } from '../runs/runStore.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import { differencesByLine, type LineDifferences } from './differences.ts';
import { settingsOf } from '../runs/settingsOfRun.ts';
import { lastRunOf, takesChanges, wantedOf } from './runSettings.ts';

const SHOW_SETTING = 'deeptwist.editor.showLastRunValues';

/** How a document stands to its last run. */
export interface Comparison {
  readonly run: StoredRun;
  /** True while a process trains the run now. */
  readonly live: boolean;
  readonly lines: readonly ComparedLine[];
}

interface ComparedLine extends LineDifferences {
  /** Those of the changes that the live run is offered; see wantedChanges.ts. */
  readonly applied: readonly SettingChange[];
  /** True if another value was written of what the live run keeps from its first step on. */
  readonly keeps: boolean;
}

export class LastRunValues extends Disposable {
  readonly #store: RunStore;
  readonly #decoration = this.register(
    window.createTextEditorDecorationType({ after: { margin: '0 0 0 2em', fontStyle: 'italic' } }),
  );
  readonly #comparisons = new WeakMap<TextDocument, Comparison>();
  readonly #changed = this.register(new EventEmitter<TextDocument>());
  /** Newest request for each document whose comparison is being made; an older one's result is dropped. */
  readonly #requests = new WeakMap<TextDocument, object>();

  readonly onDidChange: Event<TextDocument> = this.#changed.event;

  constructor(store: RunStore) {
    super();
    this.#store = store;
    const updateAll = () => {
      for (const document of new Set(window.visibleTextEditors.map((editor) => editor.document)))
        this.#update(document);
    };
    this.register(workspace.onDidChangeTextDocument(({ document }) => this.#update(document)));
    this.register(window.onDidChangeVisibleTextEditors(updateAll));
    this.register(
      workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(SHOW_SETTING) && updateAll()),
    );
    this.register(store.onDidChange(updateAll));
    // A run can take changes in some phases only.
    this.register(onPhaseChange(store, updateAll));
    updateAll();
  }

  /** As of the last text of the document that was a valid experiment; undefined where there is no run to compare with. */
  of(document: TextDocument): Comparison | undefined {
    return this.#comparisons.get(document);
  }

  #update(document: TextDocument): void {
    if (!isOpenExperiment(document.uri)) return;
    const request = {};
    this.#requests.set(document, request);
    void this.#compare(document).then((comparison) => {
      if (this.#requests.get(document) !== request || comparison === 'half-typed') return;
      if (comparison) this.#comparisons.set(document, comparison);
      else this.#comparisons.delete(document);
      for (const editor of window.visibleTextEditors) if (editor.document === document) this.#draw(editor, comparison);
      this.#changed.fire(document);
    });
  }

  /** `half-typed`: what is shown stays, and moves with the text. */
  async #compare(document: TextDocument): Promise<Comparison | 'half-typed' | undefined> {
    const run = await lastRunOf(this.#store, document.uri);
    const settings = run && (await settingsOf(run).catch(() => undefined));
    if (!run || !settings) return undefined;
    const text = document.getText();
    const lines = differencesByLine(text, settings);
    if (!lines) return 'half-typed';
    const live = takesChanges(run);
    const changes = lines.flatMap((line) => line.changes);
    const wanted = live ? await wantedOf(changes, run, settings, text).catch(() => undefined) : undefined;
    return {
      run,
      live,
      lines: lines.map((line) => ({
        ...line,
        applied: line.changes.filter((change) => wanted?.applied.includes(change)),
        keeps: line.changes.some((change) => wanted?.fixed.includes(change)),
      })),
    };
  }

  #draw(editor: TextEditor, comparison: Comparison | undefined): void {
    const shown = workspace.getConfiguration().get<boolean>(SHOW_SETTING, true) ? comparison : undefined;
    editor.setDecorations(
      this.#decoration,
      shown?.lines.map((line) => decorationOf(shown, line, editor.document)) ?? [],
    );
  }
}

function decorationOf({ run, live }: Comparison, line: ComparedLine, document: TextDocument): DecorationOptions {
  const { range } = document.lineAt(line.line);
  const contentText = `// ${live ? l10n.t('running: {0}', line.text) : l10n.t('last run: {0}', line.text)}`;
  return {
    range: new Range(range.end, range.end),
    // High contrast themes have no colour of ghost text, and VS Code would draw none.
    renderOptions: { after: { contentText, color: new ThemeColor('editorCodeLens.foreground') } },
    hoverMessage: hoverOf(run, live, line, document),
  };
}

function hoverOf(
  run: StoredRun,
  live: boolean,
  { applied, keeps }: ComparedLine,
  { uri }: TextDocument,
): MarkdownString {
  const link = (title: string, command: string, argument = uri.toString()) =>
    commandLink(title, `deeptwist.${command}`, [argument]);
  const applicable = applied.length > 0;
  const first = !live
    ? l10n.t('The run {0} had another value.', run.run.id)
    : applicable || !keeps
      ? l10n.t('The run {0} is trained with another value.', run.run.id)
      : l10n.t('The run {0} is trained with another value, which it keeps.', run.run.id);
  const links = [
    ...(applicable ? [link(l10n.t('Apply From Next Distortion'), 'applyFromNextDistortion')] : []),
    link(l10n.t('Run'), 'runExperiment'),
    link(l10n.t('Compare Experiment File with This Run'), 'openConfigOfRun', run.key),
  ];
  const text = new MarkdownString(`${markdownText(first)}\n\n${links.join(' · ')}`);
  text.isTrusted = {
    enabledCommands: ['applyFromNextDistortion', 'runExperiment', 'openConfigOfRun'].map((name) => `deeptwist.${name}`),
  };
  return text;
}
