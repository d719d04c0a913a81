/** @file What a rewriting of an experiment file is asked about, and what it is made of. */
import type { TextEdit } from 'vscode-languageserver/node';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';

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
