/** @file The language server over a real LSP connection: the client's end of a pair of streams, as an editor would hold it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import {
  CodeActionKind,
  CodeActionRequest,
  CodeLensRefreshRequest,
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidChangeWatchedFilesNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  type FileEvent,
  FileChangeType,
  InitializedNotification,
  InitializeRequest,
  PublishDiagnosticsNotification,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
  type CodeAction,
  type Diagnostic,
  type InitializeResult,
  type ProtocolConnection,
  type RequestHandler,
  type TextDocumentContentChangeEvent,
} from 'vscode-languageserver/node';
import { createConnection } from 'vscode-languageserver/node';
import { PATIENCE } from '../../../scripts/patience.js';
import { serve } from '../../../server/language/server.ts';
import { DescribeModelRequest, type DescribeModelResult } from '../../../server/protocol/wire/describeModel.ts';
import { EXPERIMENT_LANGUAGE, type InitializationOptions } from '../../../server/protocol/wire/language.ts';

type Describe = RequestHandler<{ readonly uri: string }, DescribeModelResult, void>;

export class LanguageSession {
  readonly connection: ProtocolConnection;
  readonly initialized: InitializeResult;
  /** Folder of its files; removed in the end. */
  readonly folder: string;
  /** Called whenever the server asks to ask for lenses again. */
  onLensRefresh = () => {};
  readonly #published = new Map<string, { version: number; diagnostics: Diagnostic[] }>();
  readonly #waiting = new Set<() => void>();

  private constructor(connection: ProtocolConnection, initialized: InitializeResult, folder: string) {
    this.connection = connection;
    this.initialized = initialized;
    this.folder = folder;
    connection.onRequest(CodeLensRefreshRequest.type, () => this.onLensRefresh());
    connection.onNotification(PublishDiagnosticsNotification.type, ({ uri, version = 0, diagnostics }) => {
      this.#published.set(uri, { version, diagnostics });
      for (const look of this.#waiting) look();
    });
  }

  /**
   * @param describe answers the server's requests for models, as an editor that may run them
   * @param folder of another session, in place of its own
   * @param workspace folders that the editor has open
   */
  static async open(describe?: Describe, folder?: string, workspace: readonly string[] = []): Promise<LanguageSession> {
    const [toServer, toClient] = [new PassThrough(), new PassThrough()];
    serve(createConnection(new StreamMessageReader(toServer), new StreamMessageWriter(toClient))).listen();
    const connection = createProtocolConnection(new StreamMessageReader(toClient), new StreamMessageWriter(toServer));
    if (describe) connection.onRequest(DescribeModelRequest.type, describe);
    connection.listen();
    const initialized = await connection.sendRequest(InitializeRequest.type, {
      processId: null,
      rootUri: null,
      workspaceFolders: workspace.map((path) => ({ uri: pathToFileURL(path).href, name: path })),
      capabilities: { workspace: { codeLens: { refreshSupport: true } } },
      initializationOptions: { describesModels: describe !== undefined } satisfies InitializationOptions,
    });
    await connection.sendNotification(InitializedNotification.type, {});
    const own = folder ?? mkdtempSync(join(tmpdir(), 'deeptwist-language-'));
    return new LanguageSession(connection, initialized, own);
  }

  async dispose(): Promise<void> {
    await this.connection.sendRequest(ShutdownRequest.type);
    this.connection.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Writes a file of the folder. */
  async write(name: string, text: string): Promise<string> {
    const file = join(this.folder, name);
    await mkdir(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  uriOf(name: string): string {
    return pathToFileURL(join(this.folder, name)).href;
  }

  /** Opens a text as an experiment file of the folder. */
  async openText(text: string, name = 'lenet.deeptwist.jsonc', languageId = EXPERIMENT_LANGUAGE): Promise<string> {
    const uri = this.uriOf(name);
    const textDocument = { uri, languageId, version: 1, text };
    await this.connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
    return uri;
  }

  async change(uri: string, version: number, contentChanges: TextDocumentContentChangeEvent[]): Promise<void> {
    const textDocument = { uri, version };
    await this.connection.sendNotification(DidChangeTextDocumentNotification.type, { textDocument, contentChanges });
  }

  async close(uri: string): Promise<void> {
    this.#published.delete(uri);
    await this.connection.sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri } });
  }

  /** Files have changed on the disk, as the editor's watcher tells. */
  async fileChanged(...files: string[]): Promise<void> {
    const changes = files.map((file): FileEvent => ({ uri: pathToFileURL(file).href, type: FileChangeType.Changed }));
    this.#published.clear();
    await this.connection.sendNotification(DidChangeWatchedFilesNotification.type, { changes });
  }

  /** True once diagnostics have come for a file. */
  hasDiagnostics(uri: string): boolean {
    return this.#published.has(uri);
  }

  /** The diagnostics of a version, when they come. */
  async diagnostics(uri: string, version = 1): Promise<Diagnostic[]> {
    const found = () => {
      const published = this.#published.get(uri);
      return published?.version === version ? published.diagnostics : undefined;
    };
    let look = () => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        look = () => {
          const diagnostics = found();
          if (diagnostics) resolve(diagnostics);
        };
        timer = setTimeout(() => reject(new Error(`No diagnostics of version ${version} in ${PATIENCE} ms`)), PATIENCE);
        this.#waiting.add(look);
        look();
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  /** The quick fixes of a diagnostic. */
  async quickFixes(uri: string, { range }: Pick<Diagnostic, 'range'>): Promise<CodeAction[]> {
    const context = { diagnostics: [], only: [CodeActionKind.QuickFix] };
    const actions = await this.connection.sendRequest(CodeActionRequest.type, {
      textDocument: { uri },
      range,
      context,
    });
    return (actions ?? []).filter((action): action is CodeAction => 'edit' in action);
  }
}
