/** @file Rewritings of an experiment file at the cursor; quick fixes of problems are elsewhere. */
import { CodeActionKind, type CodeAction, type Range, type TextEdit } from 'vscode-languageserver/node';
import type { SettingPath } from '../../protocol/settingPath.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { conversions } from './convertMethod.ts';
import { globExpansions, ratioTargets } from './rewriteLayer.ts';
import { defaultsWritten } from './writeDefaults.ts';

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

export function rewritings(document: ExperimentDocument, range: Range, surroundings: Surroundings): CodeAction[] {
  const path = document.json.pathAt(document.text.offsetAt(range.start));
  const rewritten = { document, path, surroundings };
  return [
    ...ratioTargets(rewritten),
    ...globExpansions(rewritten),
    ...conversions(rewritten),
    ...defaultsWritten(rewritten),
  ].map(({ title, edits }) => ({
    title,
    kind: CodeActionKind.RefactorRewrite,
    edit: { changes: { [document.text.uri]: [...edits] } },
  }));
}

/** Replaces the value of a setting; nothing where it is not there. */
export function replaceValue(document: ExperimentDocument, path: SettingPath, newText: string): TextEdit[] {
  const range = document.json.rangeOfValue(path);
  return range ? [{ range: document.rangeOf(range), newText }] : [];
}
