/** @file What can be done about the findings of an experiment file at a place. */
import { CodeActionKind, type CodeAction, type Range } from 'vscode-languageserver/node';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { asDiagnostic } from '../findings/diagnostics.ts';
import { findingsOf } from '../findings/index.ts';

export function quickFixes(document: ExperimentDocument, surroundings: Surroundings, place: Range): CodeAction[] {
  const { text } = document;
  const [start, end] = [text.offsetAt(place.start), text.offsetAt(place.end)];
  return findingsOf(document, surroundings)
    .filter(({ range }) => range.start <= end && range.end >= start)
    .flatMap((finding) =>
      (finding.fixes ?? []).map(({ title, edits }, index) => ({
        title,
        kind: CodeActionKind.QuickFix,
        isPreferred: index === 0,
        diagnostics: [asDiagnostic(document, finding)],
        edit: {
          documentChanges: [
            {
              textDocument: { uri: text.uri, version: text.version },
              edits: edits().map(({ range, newText }) => ({ range: document.rangeOf(range), newText })),
            },
          ],
        },
      })),
    );
}
