/** @file Rewritings of an experiment file at the cursor; quick fixes of problems are elsewhere. */
import { CodeActionKind, type CodeAction, type Range } from 'vscode-languageserver/node';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { furtherCompressions } from './compressFurther.ts';
import { conversions } from './convertMethod.ts';
import { globExpansions, ratioTargets } from './rewriteLayer.ts';
import { makesErrors } from './rewriting.ts';
import { defaultsWritten } from './writeDefaults.ts';

/** Those that leave a valid file valid. */
export function rewritings(document: ExperimentDocument, range: Range, surroundings: Surroundings): CodeAction[] {
  const path = document.json.pathAt(document.text.offsetAt(range.start));
  const rewritten = { document, path, surroundings };
  return [
    ...ratioTargets(rewritten),
    ...globExpansions(rewritten),
    ...conversions(rewritten),
    ...furtherCompressions(rewritten),
    ...defaultsWritten(rewritten),
  ]
    .filter(({ edits }) => !makesErrors(rewritten, edits))
    .map(({ title, edits }) => ({
      title,
      kind: CodeActionKind.RefactorRewrite,
      edit: {
        documentChanges: [
          { textDocument: { uri: document.text.uri, version: document.text.version }, edits: [...edits] },
        ],
      },
    }));
}
