/** @file What a completion proposes, and the place that it is proposed for. */
import type { CompletionItemKind } from 'vscode-languageserver/node';
import type { CursorPlace } from '../cursorPlace.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';

/** Something to type: a key with its value, or a value. */
export interface Proposal {
  readonly label: string;
  readonly kind: CompletionItemKind;
  readonly detail?: string | undefined;
  /** Markdown. */
  readonly documentation?: string | undefined;
  /** What is inserted, a snippet; a comma is added where one is needed. */
  readonly snippet: string;
  /** What a user types to choose it; by default the label. */
  readonly typed?: string;
  /** True if something is to be chosen inside of it at once. */
  readonly goesOn?: boolean;
}

/** A place at which something is to be typed, and what is known there. */
export interface Typing {
  readonly document: ExperimentDocument;
  readonly surroundings: Surroundings;
  readonly place: CursorPlace;
}
