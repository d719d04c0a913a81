/** @file What a rewriting of an experiment file is asked about and made of, and the check that it leaves the file valid. */
import { TextDocument } from 'vscode-languageserver-textdocument';
import { DiagnosticSeverity, type TextEdit } from 'vscode-languageserver/node';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import { ExperimentDocument, type Surroundings } from '../experimentDocument.ts';
import { findingsOf } from '../findings/index.ts';

export interface Rewriting {
  readonly title: string;
  readonly edits: readonly TextEdit[];
}

/** What is asked about: a setting of an open file, and what is known around. */
export interface Rewritten {
  readonly document: ExperimentDocument;
  readonly path: SettingPath;
  readonly surroundings: Surroundings;
}

/** Replaces the value of a setting; nothing where it is not there. */
export function replaceValue(document: ExperimentDocument, path: SettingPath, newText: string): TextEdit[] {
  const range = document.json.rangeOfValue(path);
  return range ? [{ range: document.rangeOf(range), newText }] : [];
}

/** True if edits make an error that the file does not have. */
export function makesErrors({ document, surroundings }: Omit<Rewritten, 'path'>, edits: readonly TextEdit[]): boolean {
  const { text } = document;
  const edited = TextDocument.applyEdits(text, [...edits]);
  const rewritten = new ExperimentDocument(TextDocument.create(text.uri, text.languageId, text.version, edited));
  const known = errorsOf(document, surroundings);
  return [...errorsOf(rewritten, surroundings)].some((error) => !known.has(error));
}

/** Codes and messages: the places are others in another text. */
function errorsOf(document: ExperimentDocument, surroundings: Surroundings): Set<string> {
  const errors = findingsOf(document, surroundings).filter(({ severity }) => severity === DiagnosticSeverity.Error);
  return new Set(errors.map(({ code, message }) => `${code} ${message}`));
}
