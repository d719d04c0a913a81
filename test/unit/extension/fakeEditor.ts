/**
 * @file A part of VS Code, for tests of files that speak with it: a workspace of folders on the disk, and what is shown. To be given to
 * `vi.mock('vscode', …)`.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export class EventEmitter<T> {
  readonly #listeners = new Set<(event: T) => void>();
  readonly event = (listener: (event: T) => void) => {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  };
  fire(event: T): void {
    for (const listener of this.#listeners) listener(event);
  }
  dispose(): void {
    this.#listeners.clear();
  }
}

export const Disposable = {
  from: (...all: { dispose(): unknown }[]) => ({ dispose: () => all.forEach((one) => one.dispose()) }),
};

export class Uri {
  readonly scheme: string;
  readonly fsPath: string;

  constructor(fsPath: string, scheme = 'file') {
    this.fsPath = fsPath;
    this.scheme = scheme;
  }

  get path(): string {
    return this.fsPath.replaceAll(sep, '/');
  }

  toString(): string {
    return this.scheme === 'file' ? pathToFileURL(this.fsPath).href : `${this.scheme}:${this.fsPath}`;
  }

  static file = (path: string) => new Uri(path);
  static parse = (text: string) => {
    if (text.startsWith('file:')) return new Uri(fileURLToPath(text));
    const [, scheme, path] = /^(.*?):(.*)$/s.exec(text)!;
    return new Uri(path, scheme);
  };
  static joinPath = ({ fsPath }: Uri, ...names: string[]) => new Uri(join(fsPath, ...names));
}

export class RelativePattern {
  readonly base: { readonly uri: Uri };

  constructor(base: { readonly uri: Uri }) {
    this.base = base;
  }
}

export class ThemeIcon {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }
}
export class MarkdownString {
  readonly value: string;

  constructor(value: string) {
    this.value = value;
  }
}
export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 };

export class TreeItem {
  label: unknown;
  collapsibleState: unknown;
  description: unknown;

  constructor(label: unknown, collapsibleState: unknown) {
    this.label = label;
    this.collapsibleState = collapsibleState;
  }
}
export class ThemeColor {}
export const ProgressLocation = {};

/** What was shown: the kind of a message, its text, its buttons; a command with its arguments. */
export const shown: unknown[][] = [];
/** What a test says of the window. */
export const editor = {
  folders: [] as string[],
  answer: undefined as unknown,
  activeFile: undefined as string | undefined,
  /** What is there in the place of a file: `untitled`. */
  activeScheme: 'file',
  /** A browser where it is false. */
  isDesktop: false,
  /** Takes what is deleted; undefined where the system has no trash. */
  trash: undefined as ((file: string) => void) | undefined,
  /** By their names without `deeptwist.` */
  settings: {} as Record<string, unknown>,
  /** What was typed into every file that is opened. */
  unsaved: undefined as { text: string; canBeSaved: boolean } | undefined,
};

export function resetEditor(): void {
  shown.length = 0;
  Object.assign(editor, { folders: [], answer: undefined, activeFile: undefined, unsaved: undefined, settings: {} });
  Object.assign(editor, { isDesktop: false, trash: undefined });
  editor.activeScheme = 'file';
}

export const l10n = {
  t: (text: string, ...values: unknown[]) => text.replace(/\{(\d)\}/g, (_, i: string) => String(values[Number(i)])),
};

const show =
  (kind: string) =>
  (...message: unknown[]) => {
    shown.push([kind, ...message]);
    return Promise.resolve(editor.answer);
  };

export const commands = { executeCommand: show('command') };
export const UIKind = { Desktop: 1, Web: 2 };
export const env = {
  language: 'en',
  remoteName: undefined,
  get uiKind() {
    return editor.isDesktop ? UIKind.Desktop : UIKind.Web;
  },
};

const never = () => ({ dispose: () => undefined });

/** The document of the active editor: the same one as long as that stays. */
let active: { readonly uri: Uri; readonly languageId: string } | undefined;

export const window = {
  showInformationMessage: show('information'),
  showWarningMessage: show('warning'),
  showErrorMessage: show('error'),
  showQuickPick: show('pick'),
  setStatusBarMessage: () => undefined,
  withProgress: <T>(_: unknown, task: () => T) => task(),
  onDidChangeActiveTextEditor: never,
  get activeTextEditor() {
    const file = editor.activeFile;
    if (file === undefined) return undefined;
    if (active?.uri.fsPath !== file) {
      const uri = new Uri(file, editor.activeScheme);
      active = { uri, languageId: file.endsWith('.ts') ? 'typescript' : 'deeptwist' };
    }
    return { document: active };
  },
};

export const LanguageStatusSeverity = { Information: 0, Warning: 1, Error: 2 };
/** By their ids. */
export const languageStatus: Record<string, { text?: string; dispose(): void }> = {};

export const languages = {
  createLanguageStatusItem: (id: string) => (languageStatus[id] = { dispose: () => undefined }),
  getDiagnostics: () => [],
  createDiagnosticCollection: () => ({ set: never, delete: never, dispose: () => undefined }),
};

export const workspace = {
  isTrusted: true,
  fs: {
    delete({ fsPath }: Uri, { useTrash }: { useTrash: boolean }) {
      if (!useTrash || !editor.trash) return Promise.reject(new Error('no trash'));
      editor.trash(fsPath);
      return Promise.resolve();
    },
  },
  get workspaceFolders() {
    return editor.folders.map((folder) => ({ uri: new Uri(folder) }));
  },
  /** The innermost one. */
  getWorkspaceFolder({ fsPath }: Uri) {
    const around = this.workspaceFolders.filter(({ uri }) => !relative(uri.fsPath, fsPath).startsWith('..'));
    return around.toSorted((a, b) => b.uri.fsPath.length - a.uri.fsPath.length)[0];
  },
  /** Experiment files below a folder, whatever the pattern is. */
  findFiles({ base }: RelativePattern) {
    const { fsPath } = base.uri;
    const files = readdirSync(fsPath, { recursive: true, encoding: 'utf8' });
    return Promise.resolve(
      files
        .filter((file) => file.endsWith('.deeptwist.jsonc') && !file.includes('.deeptwist' + sep))
        .map((file) => new Uri(join(fsPath, file))),
    );
  },
  createFileSystemWatcher: () => ({
    onDidCreate: never,
    onDidChange: never,
    onDidDelete: never,
    dispose: () => undefined,
  }),
  openTextDocument(uri: Uri) {
    return Promise.resolve({
      uri,
      get isDirty() {
        return editor.unsaved !== undefined;
      },
      getText: () => editor.unsaved?.text ?? readFileSync(uri.fsPath, 'utf8'),
      save() {
        if (editor.unsaved?.canBeSaved !== true) return Promise.resolve(false);
        writeFileSync(uri.fsPath, editor.unsaved.text);
        editor.unsaved = undefined;
        return Promise.resolve(true);
      },
    });
  },
  onDidChangeTextDocument: never,
  onDidChangeConfiguration: never,
  onDidGrantWorkspaceTrust: never,
  getConfiguration: () => ({ get: (name: string, otherwise: unknown) => editor.settings[name] ?? otherwise }),
  onDidChangeWorkspaceFolders: never,
  onDidOpenTextDocument: never,
};
