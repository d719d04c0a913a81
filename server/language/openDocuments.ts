/**
 * @file The documents that the editor has open: experiment files, each version parsed once, and the texts of model files. A
 * version does not change under a feature that works on it.
 */
import { fileURLToPath } from 'node:url';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { TextDocuments, type Connection } from 'vscode-languageserver/node';
import { EXPERIMENT_LANGUAGE } from '../protocol/wire/language.ts';
import { ExperimentDocument } from './experimentDocument.ts';

/** Characters of an experiment file that is worked on: a person writes none that is longer. */
const MOST_CHARACTERS = 2 * 1024 * 1024;

export class OpenDocuments {
  readonly #texts = new TextDocuments(TextDocument);
  /** Newest version of each open experiment file that a feature has asked for, by URI. */
  readonly #experiments = new Map<string, ExperimentDocument>();

  /** @param onChange called with the URI of an experiment file that was opened or changed */
  constructor(onChange: (uri: string) => void) {
    this.#texts.onDidChangeContent(({ document }) => isExperiment(document) && onChange(document.uri));
    this.#texts.onDidClose(({ document }) => this.#experiments.delete(document.uri));
  }

  /** Called with the URI of a document that was opened or saved, an experiment file or a model. */
  onDidOpenOrSave(listener: (uri: string) => void): void {
    this.#texts.onDidOpen(({ document }) => listener(document.uri));
    this.#texts.onDidSave(({ document }) => listener(document.uri));
  }

  /** Called with the URI of an experiment file. */
  onDidClose(listener: (uri: string) => void): void {
    this.#texts.onDidClose(({ document }) => isExperiment(document) && listener(document.uri));
  }

  listen(connection: Connection): void {
    this.#texts.listen(connection);
  }

  /** URIs of the experiment files. */
  experiments(): string[] {
    return this.#texts
      .all()
      .filter(isExperiment)
      .map(({ uri }) => uri);
  }

  /** The experiment file as it is now; undefined where it is not open, and for one that is too long to be one. */
  experiment(uri: string): ExperimentDocument | undefined {
    const text = this.#texts.get(uri);
    if (!text || !isExperiment(text) || text.getText().length > MOST_CHARACTERS) return undefined;
    const known = this.#experiments.get(uri);
    if (known?.text.version === text.version) return known;
    const copy = TextDocument.create(uri, text.languageId, text.version, text.getText());
    const experiment = new ExperimentDocument(copy);
    this.#experiments.set(uri, experiment);
    return experiment;
  }

  /** The editor's text of a file; undefined where it is not open. */
  textOf(file: string): { uri: string; text: string } | undefined {
    // Editors write the same URI in more than one way.
    const document = this.#texts.all().find(({ uri }) => fileOf(uri) === file);
    return document && { uri: document.uri, text: document.getText() };
  }
}

function isExperiment({ languageId }: TextDocument): boolean {
  return languageId === EXPERIMENT_LANGUAGE;
}

/** The path of a document; undefined for one that is not a file. */
export function fileOf(uri: string): string | undefined {
  return uri.startsWith('file:') ? fileURLToPath(uri) : undefined;
}
