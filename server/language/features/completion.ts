/** @file What can be typed at the cursor: keys, values, layers, runs, files and blocks. */
import { InsertTextFormat, MarkupKind, type CompletionItem, type Position } from 'vscode-languageserver/node';
import { cursorPlace } from '../cursorPlace.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { keyProposals } from './completeKeys.ts';
import { valueProposals } from './completeValues.ts';

export function complete(
  document: ExperimentDocument,
  position: Position,
  surroundings: Surroundings,
): CompletionItem[] {
  const text = document.text.getText();
  const place = cursorPlace(text, document.text.offsetAt(position));
  if (!place) return [];
  const typing = { document, surroundings, place };
  const proposals = place.kind === 'key' ? keyProposals(typing) : valueProposals(typing);
  const range = document.rangeOf(place.range);
  const typed = text.slice(place.range.start, place.range.end);
  const comma = place.next === 'entry' ? ',' : '';
  const missing = place.missingComma;
  const commaBefore =
    missing === undefined ? undefined : [{ range: document.rangeOf({ start: missing, end: missing }), newText: ',' }];
  return proposals.map((proposal, index): CompletionItem => {
    const word = proposal.typed ?? proposal.label;
    return {
      label: proposal.label,
      kind: proposal.kind,
      ...(proposal.detail !== undefined && { detail: proposal.detail }),
      ...(proposal.documentation !== undefined && {
        documentation: { kind: MarkupKind.Markdown, value: proposal.documentation },
      }),
      // An editor compares this with what it replaces, which has its quotes.
      filterText: typed.startsWith('"') ? JSON.stringify(word) : word,
      sortText: String(index).padStart(5, '0'),
      insertTextFormat: InsertTextFormat.Snippet,
      textEdit: { range, newText: proposal.snippet + comma },
      ...(commaBefore && { additionalTextEdits: commaBefore }),
      ...(proposal.goesOn && { command: { title: 'Suggest', command: 'editor.action.triggerSuggest' } }),
    };
  });
}
