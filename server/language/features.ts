/**
 * @file What the language server does with an experiment file, a row each. To add a feature: a function of the document and its
 * surroundings in features/, and its row here. Diagnostics are not asked for: server.ts sends them.
 */
import { CodeActionKind, CodeActionRequest } from 'vscode-languageserver/node';
import { feature, type Feature } from './feature.ts';
import { quickFixes } from './features/quickFixes.ts';

export const features: readonly Feature[] = [
  feature(
    CodeActionRequest.type,
    { codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] } },
    ({ document, surroundings }, { range }) => quickFixes(document, surroundings, range),
  ),
];
