/** @file An editor of a model's file: its page, the thread that reads the file, and a look at whether the file changes. */
import { basename, dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { l10n, RelativePattern, Uri, workspace, type WebviewPanel } from 'vscode';
import { messageOf, stackOf } from '../../server/protocol/thrown.ts';
import { UserError } from '../../server/protocol/userError.ts';
import type {
  FoundInFile,
  FromModelFilePage,
  ShownFile,
  ToModelFilePage,
  WantedNumbers,
} from '../../server/protocol/wire/modelFile.ts';
import { Disposable } from '../dispose.ts';
import { pageHtml, pageOptions } from '../page/pageHtml.ts';
import { saveChart } from '../page/saveChart.ts';
import type { Services } from '../services.ts';
import { parseFromModelFilePage } from './messages.ts';
import { computeSpectrum } from './spectrumProcess.ts';

/** A file that is written changes many times in a row. */
const SETTLE_MS = 300;
/** For the texts of a header; the bytes of tensors are beside it. */
const MEMORY_MB = 1024;

export class ModelFileSession extends Disposable {
  readonly uri: Uri;
  readonly #panel: WebviewPanel;
  readonly #services: Services;
  /** What was told last of the whole file; undefined while it is read. */
  #told: Extract<FoundInFile, { type: 'file' | 'problem' }> | undefined;
  #wanted: WantedNumbers = { statistics: [] };
  #thread: Worker | undefined;
  #spectrum: AbortController | undefined;
  #settling: NodeJS.Timeout | undefined;
  #statisticsTold = 0;

  constructor(uri: Uri, panel: WebviewPanel, services: Services) {
    super();
    this.uri = uri;
    this.#panel = panel;
    this.#services = services;
    const { webview } = panel;
    const { extensionUri } = services.context;
    webview.options = pageOptions(extensionUri);
    this.register(webview.onDidReceiveMessage((received: unknown) => this.#receive(received)));
    this.register(panel.onDidChangeViewState(() => this.#read(panel.visible ? this.#wanted : { statistics: [] })));
    this.register({ dispose: () => this.#end() });
    webview.html = pageHtml(webview, extensionUri, { bundle: 'modelFile', title: basename(uri.path) });
    if (uri.scheme === 'file') this.#watch();
    this.#open();
  }

  /** The file, once it is read. */
  get file(): ShownFile | undefined {
    return this.#told?.type === 'file' ? this.#told.file : undefined;
  }

  /** Why it is not shown. */
  get problem(): string | undefined {
    return this.#told?.type === 'problem' ? this.#told.message : undefined;
  }

  /** How many tensors the page was told the statistics of, since the file was read. */
  get statisticsTold(): number {
    return this.#statisticsTold;
  }

  /** Reads the file, from the beginning where it was read before. */
  #open(): void {
    this.#end();
    this.#told = undefined;
    this.#statisticsTold = 0;
    if (this.uri.scheme !== 'file') {
      this.#tell({
        type: 'problem',
        message: l10n.t('{0} is not a file on the disk of this machine.', basename(this.uri.path)),
        remedy: l10n.t('Save it on the disk, and open it there.'),
      });
      return;
    }
    const reader = Uri.joinPath(this.#services.context.extensionUri, 'dist', 'modelFileReader.js');
    const thread = new Worker(reader.fsPath, {
      workerData: { path: this.uri.fsPath },
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    this.#thread = thread;
    thread.on('message', (found: FoundInFile) => {
      if (this.#thread === thread) this.#tell(found);
    });
    thread.on('error', (error) => {
      if (this.#thread !== thread) return;
      this.#services.log.error(`${this.uri.fsPath}: ${stackOf(error)}`);
      const message = l10n.t('{0} cannot be shown: {1}', basename(this.uri.path), messageOf(error));
      this.#tell({ type: 'problem', message, remedy: l10n.t('See the DeepTwist output for details.') });
    });
  }

  #tell(found: FoundInFile): void {
    if (found.type === 'file' || found.type === 'problem') this.#told = found;
    if (found.type === 'statistics') this.#statisticsTold++;
    this.#post(found);
  }

  #post(message: ToModelFilePage): void {
    void this.#panel.webview.postMessage(message);
  }

  #receive(received: unknown): void {
    const message = parseFromModelFilePage(received);
    if (message) this.#perform(message);
    else this.#services.log.warn(`The page of ${this.uri.fsPath} sent what is no message.`);
  }

  #perform(message: FromModelFilePage): void {
    const { context, log } = this.#services;
    switch (message.type) {
      case 'ready':
        this.#wanted = { statistics: [] };
        if (this.#told) this.#post(this.#told);
        return;
      case 'wanted':
        this.#wanted = message;
        this.#read(message);
        return;
      case 'computeSpectrum':
        this.#spectrum?.abort();
        this.#spectrum = undefined;
        if (message.tensor !== undefined) void this.#computeSpectrum(message.tensor);
        return;
      case 'save':
        saveChart(message, context.workspaceState).catch((error: unknown) => log.error(stackOf(error)));
        return;
      case 'error':
        log.error(`${this.uri.fsPath}: ${message.message}`);
    }
  }

  #read({ statistics, histogram }: WantedNumbers): void {
    this.#thread?.postMessage({ statistics, histogram } satisfies WantedNumbers);
  }

  async #computeSpectrum(index: number): Promise<void> {
    const name = this.file?.tensors[index]?.name;
    if (name === undefined) return;
    const controller = new AbortController();
    this.#spectrum = controller;
    const command = Uri.joinPath(this.#services.context.extensionUri, 'bin', 'deeptwist.js').fsPath;
    try {
      const singularValues = await computeSpectrum(command, this.uri.fsPath, name, controller.signal);
      if (!controller.signal.aborted) this.#post({ type: 'spectrum', tensor: index, singularValues });
    } catch (error) {
      if (controller.signal.aborted) return;
      if (!(error instanceof UserError)) this.#services.log.error(stackOf(error));
      this.#post({ type: 'spectrumProblem', tensor: index, message: messageOf(error) });
    }
  }

  #watch(): void {
    // A pattern of the file's own name would read brackets in it as something else.
    const folder = new RelativePattern(Uri.file(dirname(this.uri.fsPath)), '*');
    const watcher = this.register(workspace.createFileSystemWatcher(folder));
    const changed = ({ fsPath }: Uri) => {
      if (fsPath !== this.uri.fsPath) return;
      clearTimeout(this.#settling);
      this.#settling = setTimeout(() => this.#open(), SETTLE_MS);
    };
    this.register(watcher.onDidChange(changed));
    this.register(watcher.onDidCreate(changed));
    this.register(watcher.onDidDelete(changed));
  }

  #end(): void {
    clearTimeout(this.#settling);
    this.#spectrum?.abort();
    this.#spectrum = undefined;
    const thread = this.#thread;
    this.#thread = undefined;
    void thread?.terminate();
  }
}
