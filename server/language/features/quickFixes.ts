/** @file What can be done about the findings of an experiment file at a place. */
import { CodeActionKind, type CodeAction, type Range, type TextEdit } from 'vscode-languageserver/node';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { asDiagnostic } from '../findings/diagnostics.ts';
import type { TextChange } from '../findings/finding.ts';
import { findingsOf } from '../findings/index.ts';
import { makesErrors } from './rewriting.ts';

export function quickFixes(document: ExperimentDocument, surroundings: Surroundings, place: Range): CodeAction[] {
  const { text } = document;
  const [start, end] = [text.offsetAt(place.start), text.offsetAt(place.end)];
  return findingsOf(document, surroundings)
    .filter(({ range }) => range.start <= end && range.end >= start)
    .flatMap((finding) =>
      (finding.fixes ?? [])
        .map(({ title, edits }) => ({ title, edits: edits().map((edit) => textEdit(document, edit)) }))
        .filter(({ edits }) => !MAY_MAKE_ERRORS.has(finding.code) || !makesErrors({ document, surroundings }, edits))
        .map(({ title, edits }, index) => ({
          title,
          kind: CodeActionKind.QuickFix,
          isPreferred: index === 0,
          diagnostics: [asDiagnostic(document, finding)],
          edit: { documentChanges: [{ textDocument: { uri: text.uri, version: text.version }, edits }] },
        })),
    );
}

/**
 * Codes of settings that are each right beside others: another value, or none, can be wrong beside yet another. After the remedy of other
 * problems, errors come to light that were there before.
 */
const MAY_MAKE_ERRORS: ReadonlySet<string> = new Set(['combination', 'alternatives']);

function textEdit(document: ExperimentDocument, { range, newText }: TextChange): TextEdit {
  return { range: document.rangeOf(range), newText };
}
