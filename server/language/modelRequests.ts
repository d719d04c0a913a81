/** @file Asks the editor to describe models that are not known: the server itself never runs a model. */
import { CancellationTokenSource, type Connection } from 'vscode-languageserver/node';
import { modelSourceOf, type ModelSource } from '../runs/storedDescriptions.ts';
import {
  DescribeModelRequest,
  ModelKnownNotification,
  type DescribeModelResult,
} from '../protocol/wire/describeModel.ts';
import { stackOf } from '../protocol/thrown.ts';
import type { OpenExperimentOf } from './features/feature.ts';
import { fileOf } from './openDocuments.ts';
import { isRunCopy } from '../runs/keptCopy.ts';

export class ModelRequests {
  readonly #connection: Connection;
  readonly #open: OpenExperimentOf;
  readonly #onAnswer: (uri: string, source: ModelSource, answer: DescribeModelResult) => void;
  /** By URI of the experiment file. */
  readonly #asked = new Map<string, CancellationTokenSource>();
  /** True if the editor answers the request. */
  supported = false;

  /** @param onAnswer called with what the editor answers */
  constructor(
    connection: Connection,
    open: OpenExperimentOf,
    onAnswer: (uri: string, source: ModelSource, answer: DescribeModelResult) => void,
  ) {
    this.#connection = connection;
    this.#open = open;
    this.#onAnswer = onAnswer;
  }

  /** Asks for the model of an experiment file that has no description that holds. An earlier request is cancelled. */
  ask(uri: string): void {
    const file = fileOf(uri);
    if (!this.supported || file === undefined || isRunCopy(file)) return;
    this.#askOnce(uri).catch((error: unknown) => this.#connection.console.error(stackOf(error)));
  }

  cancel(uri: string): void {
    this.#asked.get(uri)?.cancel();
    this.#asked.delete(uri);
  }

  async #askOnce(uri: string): Promise<void> {
    this.cancel(uri);
    const source = new CancellationTokenSource();
    this.#asked.set(uri, source);
    const experiment = await this.#open(uri);
    if (!experiment || source.token.isCancellationRequested) return;
    const isKnown = experiment.surroundings.model !== undefined;
    const unknown = isKnown ? undefined : modelSourceOf(experiment.document.settings);
    if (!unknown) return this.#connection.sendNotification(ModelKnownNotification.type, { uri, isKnown });
    try {
      const answer = await this.#connection.sendRequest(DescribeModelRequest.type, { uri }, source.token);
      if (!source.token.isCancellationRequested) this.#onAnswer(uri, unknown, answer);
    } catch (error) {
      if (!source.token.isCancellationRequested) throw error;
    }
  }
}
