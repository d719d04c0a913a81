/**
 * @file What the language server does with an experiment file, a row each. To add a feature: a function of the document and its
 * surroundings in features/, and its row here. Diagnostics are not asked for: server.ts sends them.
 */
import { CodeActionKind, CodeActionRequest, type CodeActionContext } from 'vscode-languageserver/node';
import { feature, type Feature } from './feature.ts';
import { quickFixes } from './features/quickFixes.ts';

export const features: readonly Feature[] = [
  feature(
    CodeActionRequest.type,
    { codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] } },
    ({ document, surroundings }, { range, context }) =>
      isWanted(CodeActionKind.QuickFix, context) ? quickFixes(document, surroundings, range) : [],
  ),
];

/** An editor may ask for actions of some kinds only, or of kinds above them: `refactor` for `refactor.rewrite`. */
function isWanted(kind: CodeActionKind, { only }: CodeActionContext): boolean {
  return only === undefined || only.some((wanted) => kind === wanted || kind.startsWith(`${wanted}.`));
}
