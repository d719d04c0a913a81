/**
 * @file What is wrong or doubtful in an experiment file, as an editor shows it: the language server, in a process of its own, is asked over
 * LSP. It reads what is known of the model and runs no code of the workspace.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import {
  createProtocolConnection,
  DiagnosticSeverity,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  ExitNotification,
  InitializedNotification,
  InitializeRequest,
  PublishDiagnosticsNotification,
  StreamMessageReader,
  StreamMessageWriter,
  type Diagnostic,
  type ProtocolConnection,
} from 'vscode-languageserver/node';
import { UserError } from '../protocol/userError.ts';
import { EXPERIMENT_LANGUAGE, type InitializationOptions } from '../protocol/wire/language.ts';

/** Milliseconds in which a file is checked, the start of the process included. */
const LONGEST_MS = 60_000;

/** A problem at its place in the file: lines and columns from 1, in UTF-16 units as in editors. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly severity: 'error' | 'warning' | 'information';
  readonly code: string;
  readonly message: string;
}

interface Server {
  readonly child: ChildProcess;
  readonly connection: ProtocolConnection;
  readonly ready: Promise<unknown>;
}

export class Checker {
  readonly #script: string;
  #server: Server | undefined;
  /** One file at a time: a second opening of a file would be another version of the same. */
  #last: Promise<unknown> = Promise.resolve();
  #version = 0;

  /** @param script the built `language.js` */
  constructor(script: string) {
    this.#script = script;
  }

  /**
   * The problems of a text, first those of the settings' schema, in the order of the file.
   * @param file where it stands, or is to stand: its paths start there
   * @param folders of the workspace
   * @throws UserError where the process ends, or does not answer
   */
  async check(file: string, text: string, folders: readonly string[]): Promise<Problem[]> {
    const turn = this.#last.then(() => this.#ask(file, text, folders));
    this.#last = turn.catch(() => undefined);
    return (await turn).map(problemOf);
  }

  dispose(): void {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    // It ends at once, and loses nothing.
    server.connection.sendNotification(ExitNotification.type).catch(() => undefined);
    server.connection.dispose();
    server.child.kill('SIGKILL');
  }

  async #ask(file: string, text: string, folders: readonly string[]): Promise<Diagnostic[]> {
    const { child, connection, ready } = (this.#server ??= this.#start(folders));
    const uri = pathToFileURL(file).href;
    const version = ++this.#version;
    let stop: () => void = () => undefined;
    try {
      return await new Promise<Diagnostic[]>((resolve, reject) => {
        const timer = setTimeout(() => reject(silent()), LONGEST_MS);
        const onExit = () => reject(gone());
        child.once('exit', onExit);
        const published = connection.onNotification(PublishDiagnosticsNotification.type, (answer) => {
          if (answer.uri === uri && answer.version === version) resolve(answer.diagnostics);
        });
        stop = () => {
          clearTimeout(timer);
          child.off('exit', onExit);
          published.dispose();
        };
        ready
          .then(() =>
            connection.sendNotification(DidOpenTextDocumentNotification.type, {
              textDocument: { uri, languageId: EXPERIMENT_LANGUAGE, version, text },
            }),
          )
          .catch(reject);
      });
    } catch (error) {
      this.dispose(); // Another check starts it anew.
      throw error instanceof UserError ? error : gone(error);
    } finally {
      stop();
      if (this.#server)
        await connection
          .sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri } })
          .catch(() => undefined);
    }
  }

  #start(folders: readonly string[]): Server {
    const child = spawn(process.execPath, [this.#script, '--stdio'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      windowsHide: true,
    });
    child.on('error', () => undefined); // Followed by the failure of what was asked.
    child.stdin.on('error', () => undefined);
    const connection = createProtocolConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin)); // prettier-ignore
    connection.onError(() => undefined);
    connection.listen();
    const workspaceFolders = folders.map((folder) => ({ uri: pathToFileURL(folder).href, name: folder }));
    const initializationOptions: InitializationOptions = { describesModels: false };
    const ready = connection
      .sendRequest(InitializeRequest.type, {
        // It ends with this process, whatever that dies of.
        processId: process.pid,
        rootUri: null,
        capabilities: {},
        workspaceFolders,
        initializationOptions,
      })
      .then(() => connection.sendNotification(InitializedNotification.type, {}));
    ready.catch(() => undefined);
    return { child, connection, ready };
  }
}

const severities: Readonly<Record<DiagnosticSeverity, Problem['severity']>> = {
  [DiagnosticSeverity.Error]: 'error',
  [DiagnosticSeverity.Warning]: 'warning',
  [DiagnosticSeverity.Information]: 'information',
  [DiagnosticSeverity.Hint]: 'information',
};

function problemOf({ range: { start, end }, severity, code, message }: Diagnostic): Problem {
  return {
    line: start.line + 1,
    column: start.character + 1,
    endLine: end.line + 1,
    endColumn: end.character + 1,
    severity: severities[severity ?? DiagnosticSeverity.Error],
    code: String(code ?? ''),
    message: typeof message === 'string' ? message : message.value,
  };
}

function silent(): UserError {
  return new UserError(`The file was not checked within ${LONGEST_MS / 1000} s.`, {
    remedy: 'Check a smaller file, or try again.',
  });
}

function gone(cause?: unknown): UserError {
  return new UserError('The process that checks experiment files has ended.', { remedy: 'Try again.', cause });
}
