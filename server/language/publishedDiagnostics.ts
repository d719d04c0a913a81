/** @file Sends what is wrong with an experiment file soon after it has changed; an older answer is never sent. */
import type { Connection } from 'vscode-languageserver/node';
import { diagnosticsOf } from './findings/diagnostics.ts';
import type { OpenExperimentOf } from './features/feature.ts';
import { stackOf } from '../protocol/thrown.ts';

/** Changes within this time are looked at together: shorter than a person notices, longer than pasting takes. */
const SETTLE_MS = 10;

export class PublishedDiagnostics {
  readonly #connection: Connection;
  readonly #open: OpenExperimentOf;
  /** By URI, what is under way. */
  readonly #pending = new Map<string, { timer?: NodeJS.Timeout }>();

  constructor(connection: Connection, open: OpenExperimentOf) {
    this.#connection = connection;
    this.#open = open;
  }

  /** The file, or something around it, is not what it was. */
  changed(uri: string): void {
    clearTimeout(this.#pending.get(uri)?.timer);
    const work: { timer?: NodeJS.Timeout } = {};
    work.timer = setTimeout(() => {
      this.#publish(uri, work).catch((error: unknown) => this.#connection.console.error(stackOf(error)));
    }, SETTLE_MS);
    this.#pending.set(uri, work);
  }

  /** The file is not open any more. */
  close(uri: string): void {
    clearTimeout(this.#pending.get(uri)?.timer);
    this.#pending.delete(uri);
    void this.#connection.sendDiagnostics({ uri, diagnostics: [] });
  }

  async #publish(uri: string, work: object): Promise<void> {
    const experiment = await this.#open(uri);
    if (!experiment || this.#pending.get(uri) !== work) return;
    const { document, surroundings } = experiment;
    const diagnostics = diagnosticsOf(document, surroundings);
    await this.#connection.sendDiagnostics({ uri, version: document.text.version, diagnostics });
  }
}
