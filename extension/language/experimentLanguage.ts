/**
 * @file The language of experiment files: its server is started when the first of them is opened. What speaks with it is in a
 * bundle of its own, which a window without an experiment file never loads.
 *
 * Experiment files are JSON with comments, and yet a language of their own: VS Code's JSON server would report each mistake
 * beside ours a second time, and offer its own completions among ours. Colours, brackets and comments are those of JSONC.
 */
import { workspace, type Disposable, type TextDocument } from 'vscode';
import { EXPERIMENT_LANGUAGE } from '../../server/protocol/wire/language.ts';
import { reportError } from '../messages.ts';
import type { Services } from '../services.ts';
import type { LanguageServer } from './languageServer.ts';

export class ExperimentLanguage implements Disposable {
  readonly #services: Services;
  readonly #listener: Disposable;
  #server: Promise<LanguageServer> | undefined;

  constructor(services: Services) {
    this.#services = services;
    this.#listener = workspace.onDidOpenTextDocument((document) => this.#startFor(document));
    for (const document of workspace.textDocuments) this.#startFor(document);
  }

  /** Starts it where it is not running. */
  async restart(): Promise<void> {
    if (!this.#server) return this.#start();
    const server = await this.#server;
    await server.restart();
  }

  dispose(): void {
    this.#listener.dispose();
    void this.#server?.then((server) => server.dispose());
  }

  #startFor({ languageId }: TextDocument): void {
    if (languageId !== EXPERIMENT_LANGUAGE || this.#server) return;
    this.#start().catch((error: unknown) => reportError(error, this.#services.log));
  }

  async #start(): Promise<void> {
    const server = import('./languageServer.ts').then(({ LanguageServer }) => new LanguageServer(this.#services));
    this.#server = server;
    server.catch(() => (this.#server = undefined)); // Then the next try loads it again.
    await (await server).start();
  }
}
