/** @file The language server's process and the connection to it: started, watched, and started again when it dies. */
import { commands, l10n, Uri, window, workspace, type CancellationToken, type LogOutputChannel } from 'vscode';
import {
  CloseAction,
  DidChangeConfigurationNotification,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  State,
  TransportKind,
  type CloseHandlerResult,
  type LanguageClientOptions,
} from 'vscode-languageclient/node';
import { modelEndings, moduleEndings, weightEndings } from '../../server/protocol/model/modelEndings.ts';
import {
  DescribeModelRequest,
  ModelKnownNotification,
  type DescribeModelResult,
} from '../../server/protocol/wire/describeModel.ts';
import { EXPERIMENT_LANGUAGE, type InitializationOptions } from '../../server/protocol/wire/language.ts';
import { stackOf } from '../../server/protocol/thrown.ts';
import { Disposable } from '../dispose.ts';
import type { Services } from '../services.ts';
import { showError } from '../messages.ts';
import { LastLines } from '../../server/commandClient/lastLines.ts';
import { LanguageStatus, SHOW_LANGUAGE_LOG } from './languageStatus.ts';
import { ModelDescriber } from './modelDescriber.ts';

/** What comes, changes and goes around experiment files: runs, descriptions of models, modules and models; of data, not what is in them. */
const watched = [
  { pattern: '**/.deeptwist/{runs/*/run.json,models/*.json}', changes: true },
  { pattern: endingIn([...moduleEndings, ...modelEndings]), changes: true },
  {
    pattern: endingIn(['.npy', '.npz', '.txt', '.csv', '.tsv', '.parquet', '.gz', '.bin', ...weightEndings]),
    changes: false,
  },
];

/** A glob of the files with one of the endings. */
function endingIn(endings: readonly string[]): string {
  return `**/*{${endings.join(',')}}`;
}

const serverStates = {
  [State.Starting]: 'starting',
  [State.StartFailed]: 'ended',
  [State.Running]: 'running',
  [State.Stopped]: 'ended',
} as const;

/** A server that dies more often than this is not started again by itself. */
const DEATHS = 4;
const WITHIN_MS = 3 * 60_000;

export class LanguageServer extends Disposable {
  readonly #log: LogOutputChannel;
  readonly #module: string;
  readonly #describer: ModelDescriber;
  readonly #status: LanguageStatus;
  readonly #watchers = watched.map(({ pattern, changes }) =>
    this.register(workspace.createFileSystemWatcher(pattern, false, !changes, false)),
  );
  /** What the server printed before it died. */
  readonly #printed = new LastLines();
  #deaths: number[] = [];
  #client: LanguageClient | undefined;

  constructor(services: Services) {
    super();
    const { context } = services;
    this.#status = this.register(new LanguageStatus(services));
    this.#log = this.register(window.createOutputChannel(l10n.t('DeepTwist Language Server'), { log: true }));
    this.#module = Uri.joinPath(context.extensionUri, 'dist', 'language.js').fsPath;
    const command = Uri.joinPath(context.extensionUri, 'bin', 'deeptwist.js');
    this.#describer = this.register(new ModelDescriber(command, this.#log));
    this.register(commands.registerCommand(SHOW_LANGUAGE_LOG, () => this.#log.show()));
    const permissionsChanged = () =>
      void this.#client?.sendNotification(DidChangeConfigurationNotification.type, { settings: null });
    this.register(workspace.onDidGrantWorkspaceTrust(permissionsChanged));
    this.register(
      workspace.onDidChangeConfiguration(
        (event) => event.affectsConfiguration('deeptwist.describeModels') && permissionsChanged(),
      ),
    );
    // The window closes; a server that does not answer dies with it.
    this.register({ dispose: () => void this.#client?.dispose().catch(() => undefined) });
  }

  async start(): Promise<void> {
    this.#status.serverIs('starting');
    const server = { module: this.#module, transport: TransportKind.ipc };
    const client = new LanguageClient('deeptwist', 'DeepTwist', { run: server, debug: server }, this.#options());
    this.#client = client;
    client.onRequest(DescribeModelRequest.type, ({ uri }, token) => this.#describe(Uri.parse(uri), token));
    client.onNotification(ModelKnownNotification.type, ({ uri, isKnown }) =>
      this.#status.modelIs(Uri.parse(uri), isKnown ? 'described' : 'absent'),
    );
    client.onDidChangeState(({ newState }) => {
      if (client === this.#client) this.#status.serverIs(serverStates[newState]);
    });
    await client.start();
  }

  async #describe(uri: Uri, token: CancellationToken): Promise<DescribeModelResult> {
    this.#status.modelIs(uri, 'describing');
    const result = await this.#describer.describe(uri, token);
    // One that was cancelled gives way to the next.
    if (!token.isCancellationRequested) this.#status.modelIs(uri, result.described === true ? 'described' : 'failed');
    return result;
  }

  /** Also when it could not be started before. */
  async restart(): Promise<void> {
    this.#deaths = [];
    const client = this.#client;
    this.#client = undefined;
    await client?.dispose().catch((error: unknown) => this.#log.warn(stackOf(error)));
    // Another restart may have started one meanwhile.
    if (!this.#client) await this.start();
  }

  #options(): LanguageClientOptions {
    const initializationOptions: InitializationOptions = { describesModels: true };
    return {
      // Not of other schemes: what a comparison with an older version shows is not worked on.
      documentSelector: ['file', 'untitled'].map((scheme) => ({ scheme, language: EXPERIMENT_LANGUAGE })),
      initializationOptions,
      synchronize: { fileEvents: this.#watchers },
      outputChannel: this.#log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      stdioOptions: {
        stdout: (stream, channel) => stream.on('data', (data: Buffer) => channel.info(String(data).trimEnd())),
        stderr: (stream, channel) =>
          stream.on('data', (data: Buffer) => {
            this.#printed.add(String(data));
            channel.error(String(data).trimEnd());
          }),
      },
      errorHandler: {
        error: (_, __, count = 0) => ({ action: count <= 3 ? ErrorAction.Continue : ErrorAction.Shutdown }),
        closed: () => this.#closed(),
      },
    };
  }

  /** The process has ended without being asked to. */
  #closed(): CloseHandlerResult {
    const now = Date.now();
    this.#deaths = [...this.#deaths.filter((time) => now - time < WITHIN_MS), now];
    const words = this.#printed.take();
    this.#log.error(`The language server has ended. It printed last:\n${words}`);
    if (this.#deaths.length <= DEATHS) return { action: CloseAction.Restart, handled: true };
    const restart = l10n.t('Restart Language Server');
    const showLog = l10n.t('Show Log');
    const message = words
      ? l10n.t('The DeepTwist language server keeps ending. It printed last: {0}', words)
      : l10n.t('The DeepTwist language server keeps ending.');
    void showError(message, restart, showLog).then((answer) => {
      if (answer === restart) void this.restart();
      if (answer === showLog) this.#log.show();
    });
    return { action: CloseAction.DoNotRestart, handled: true };
  }
}
