/** @file Lenses, hovers and marks at the layers of the models that visible editors show. Loaded with the first such editor. */
import { pathToFileURL } from 'node:url';
import {
  CodeLens,
  ColorThemeKind,
  EventEmitter,
  Hover,
  MarkdownString,
  Range,
  Uri,
  l10n,
  languages,
  window,
  workspace,
  type CodeLensProvider,
  type HoverProvider,
  type Position,
  type TextDocument,
  type TextEditor,
  type TextEditorDecorationType,
} from 'vscode';
import { Disposable } from '../dispose.ts';
import type { Services } from '../services.ts';
import { gutterMark, levelOf, LEVELS } from './gutterMark.ts';
import { layerHover, OPEN } from './layerHover.ts';
import { LANGUAGES, mayMakeLayers, PYTHON } from './modelDocuments.ts';
import { ModelFile, type ModelView } from './modelFile.ts';
import { layerAt, shareLeftOf, type LocateModules, type PlacedLayer } from './placedLayers.ts';
import type { WeightParts } from './weightParts.ts';
import type { Appearance } from './weightPicture.ts';
import { lensLines } from './weightText.ts';
import { stackOf } from '../../server/protocol/thrown.ts';

/** How often the log of a run that is trained is looked at: it follows the run within a second. */
const FOLLOW_MS = 1000;
/** A run that starts or ends changes several times. */
const SETTLE_MS = 200;
/** After the last key. */
const TYPED_MS = 150;

export class ModelEditors extends Disposable implements CodeLensProvider, HoverProvider {
  readonly #services: Services;
  readonly #files = new Map<string, ModelFile>();
  readonly #lensesChanged = this.register(new EventEmitter<void>());
  /** By how much is left; the second list, for files that have changed since the run. */
  readonly #marks: readonly (readonly TextEditorDecorationType[])[];
  #looking: NodeJS.Timeout | undefined;
  #typed: NodeJS.Timeout | undefined;
  /** Reads Python code: loaded with the first file of it. */
  #locate: LocateModules | undefined;
  #loading = false;
  /** Runs have come, gone or changed since they were looked for. */
  #runsChanged = true;

  readonly onDidChangeCodeLenses = this.#lensesChanged.event;

  constructor(services: Services, parts: WeightParts) {
    super();
    this.#services = services;
    const selector = LANGUAGES.map((language) => ({ language, scheme: 'file' }));
    this.#marks = parts.gutter ? [marks(false), marks(true)] : [];
    for (const mark of this.#marks.flat()) this.register(mark);
    if (parts.lens) this.register(languages.registerCodeLensProvider(selector, this));
    if (parts.hover) this.register(languages.registerHoverProvider(selector, this));
    this.register(window.onDidChangeVisibleTextEditors(() => this.#editorsChanged()));
    this.register(
      workspace.onDidChangeTextDocument(({ document }) => {
        if (!LANGUAGES.includes(document.languageId)) return;
        clearTimeout(this.#typed);
        this.#typed = setTimeout(() => this.#editorsChanged(), TYPED_MS);
      }),
    );
    this.register(
      services.store.onDidChange(() => {
        this.#runsChanged = true;
        this.#lookIn(SETTLE_MS);
      }),
    );
    this.register({ dispose: () => clearTimeout(this.#looking) });
    this.register({ dispose: () => clearTimeout(this.#typed) });
    this.#editorsChanged();
  }

  provideCodeLenses(document: TextDocument): CodeLens[] {
    const view = this.#viewIn(document);
    if (!view) return [];
    const { run, layers, changed } = view;
    return layers.flatMap((layer) => {
      const at = document.positionAt(layer.call.start);
      return lensLines(l10n, layer).map(({ text, weight }, i) => {
        const isMarked = changed && i === 0;
        return new CodeLens(new Range(at, at), {
          title: isMarked ? `${l10n.t('changed since the run')} · ${text}` : text,
          tooltip: l10n.t('{0} of the run {1}. Click to open the dashboard.', weight.name, run.run.id),
          command: OPEN,
          arguments: weight.compressed ? [run.key, weight.name] : [run.key],
        });
      });
    });
  }

  provideHover(document: TextDocument, position: Position): Hover | undefined {
    const view = this.#viewIn(document);
    const layer = view && layerAt(view.layers, document.offsetAt(position));
    if (!view || !layer) return undefined;
    const { key, isActive, run } = view.run;
    const appearance = { ...currentTheme(), changed: view.changed };
    const text = new MarkdownString(layerHover(l10n, layer, { key, id: run.id, live: isActive }, appearance), true);
    text.isTrusted = { enabledCommands: [OPEN] };
    return new Hover(text, new Range(document.positionAt(layer.call.start), document.positionAt(layer.call.end)));
  }

  #viewIn(document: TextDocument): ModelView | undefined {
    return this.#files.get(document.uri.fsPath)?.viewIn(document.getText());
  }

  #editorsChanged(): void {
    const models = window.visibleTextEditors.map(({ document }) => document).filter(mayMakeLayers);
    const paths = new Map(models.map((document) => [document.uri.fsPath, document]));
    for (const path of this.#files.keys()) if (!paths.has(path)) this.#files.delete(path);
    for (const [path, document] of paths) {
      if (this.#files.has(path)) continue;
      const isPython = document.languageId === PYTHON;
      if (isPython && !this.#locate) {
        this.#loadLocate();
        continue;
      }
      const python = isPython && this.#locate && { text: () => document.getText(), locate: this.#locate };
      this.#files.set(path, new ModelFile(path, this.#services.store, python || undefined));
      this.#runsChanged = true;
    }
    this.#drawMarks();
    if (this.#runsChanged) this.#lookIn(0);
  }

  /** Looks at the runs, once, in so many milliseconds. */
  #lookIn(milliseconds: number): void {
    if (this.disposed) return;
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => {
      this.#look().catch((error: unknown) => this.#services.log.error(stackOf(error)));
    }, milliseconds);
  }

  async #look(): Promise<void> {
    const search = this.#runsChanged;
    this.#runsChanged = false;
    const files = [...this.#files.values()];
    const news = await Promise.all(files.map((file) => (search ? file.search() : file.follow())));
    if (this.disposed) return;
    if (news.includes(true)) {
      this.#lensesChanged.fire();
      this.#drawMarks();
    }
    if (this.#runsChanged) this.#lookIn(SETTLE_MS);
    else if (files.length > 0 && this.#services.store.active.length > 0) this.#lookIn(FOLLOW_MS);
  }

  /** Then the editors are looked at again. */
  #loadLocate(): void {
    if (this.#loading) return;
    this.#loading = true;
    const script = Uri.joinPath(this.#services.context.extensionUri, 'dist', 'pythonModules.js');
    import(pathToFileURL(script.fsPath).href).then(
      ({ locateModules }: { locateModules: LocateModules }) => {
        this.#locate = locateModules;
        if (!this.disposed) this.#editorsChanged();
      },
      (error: unknown) => this.#services.log.error(stackOf(error)),
    );
  }

  #drawMarks(): void {
    for (const editor of window.visibleTextEditors) {
      const view = this.#viewIn(editor.document);
      this.#marks.forEach((levels, changed) =>
        levels.forEach((mark, level) => {
          const layers = view && view.changed === Boolean(changed) ? view.layers : [];
          editor.setDecorations(mark, rangesOf(editor, layers, level));
        }),
      );
    }
  }
}

/** One for each level. */
function marks(changed: boolean): TextEditorDecorationType[] {
  return Array.from({ length: LEVELS }, (_, level) => {
    const icon = (background: Appearance['background']) =>
      Uri.parse(`data:image/svg+xml;base64,${btoa(gutterMark(level, { background, changed }))}`);
    return window.createTextEditorDecorationType({
      light: { gutterIconPath: icon('light') },
      dark: { gutterIconPath: icon('dark') },
    });
  });
}

/** Lines with so much left: several layers of one line have one mark. */
function rangesOf({ document }: TextEditor, layers: readonly PlacedLayer[], level: number): Range[] {
  const lines = new Map<number, PlacedLayer[]>();
  for (const layer of layers) {
    const { line } = document.positionAt(layer.call.start);
    lines.set(line, [...(lines.get(line) ?? []), layer]);
  }
  return [...lines].flatMap(([line, made]) => {
    const compressed = made.flatMap(({ weights }) => weights).filter((weight) => weight.compressed);
    const share = shareLeftOf(compressed);
    return share !== undefined && levelOf(share) === level ? [new Range(line, 0, line, 0)] : [];
  });
}

function currentTheme(): Omit<Appearance, 'changed'> {
  const { kind } = window.activeColorTheme;
  return {
    background: kind === ColorThemeKind.Light || kind === ColorThemeKind.HighContrastLight ? 'light' : 'dark',
    highContrast: kind === ColorThemeKind.HighContrast || kind === ColorThemeKind.HighContrastLight,
  };
}
