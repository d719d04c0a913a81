/**
 * @file What the language server does with an experiment file, a row each. To add a feature: a function of the document and its
 * surroundings in this folder, and its row here. Diagnostics are not asked for: server.ts sends them.
 */
import {
  CodeActionKind,
  CodeActionRequest,
  CodeLensRequest,
  CompletionRequest,
  DefinitionRequest,
  DocumentFormattingRequest,
  DocumentRangeFormattingRequest,
  DocumentSymbolRequest,
  FoldingRangeRequest,
  HoverRequest,
  InlayHintRequest,
  MessageType,
  PrepareRenameRequest,
  RenameRequest,
  ShowMessageNotification,
  type CodeActionContext,
} from 'vscode-languageserver/node';
import { withoutLinks } from '../../protocol/markdown.ts';
import { feature, type Feature } from './feature.ts';
import { rewritings } from './codeActions.ts';
import { codeLenses } from './codeLenses.ts';
import { complete } from './completion.ts';
import { definition } from './definition.ts';
import { folding } from './folding.ts';
import { formatting } from './formatting.ts';
import { hover } from './hover.ts';
import { inlayHints } from './inlayHints.ts';
import { quickFixes } from './quickFixes.ts';
import { prepareRename, rename } from './rename.ts';
import { symbols } from './symbols.ts';
import { experimentsOfModel } from '../otherExperiments.ts';

export const features: readonly Feature[] = [
  feature(
    CodeActionRequest.type,
    { codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix, CodeActionKind.RefactorRewrite] } },
    ({ document, surroundings }, { range, context }) => [
      ...(isWanted(CodeActionKind.QuickFix, context) ? quickFixes(document, surroundings, range) : []),
      ...(isWanted(CodeActionKind.RefactorRewrite, context) ? rewritings(document, range, surroundings) : []),
    ],
  ),
  feature(
    CompletionRequest.type,
    // A path is completed folder by folder.
    { completionProvider: { triggerCharacters: ['"', ':', '/'] } },
    ({ document, surroundings }, { position }) => complete(document, position, surroundings),
  ),
  feature(
    HoverRequest.type,
    { hoverProvider: true },
    ({ document, surroundings }, { position }) => hover(document, position, surroundings) ?? null,
  ),
  feature(InlayHintRequest.type, { inlayHintProvider: true }, ({ document, surroundings }, { range }) =>
    inlayHints(document, range, surroundings),
  ),
  feature(CodeLensRequest.type, { codeLensProvider: {} }, ({ document, surroundings }) =>
    codeLenses(document, surroundings),
  ),
  feature(DocumentSymbolRequest.type, { documentSymbolProvider: true }, ({ document }) => symbols(document)),
  feature(FoldingRangeRequest.type, { foldingRangeProvider: true }, ({ document }) => folding(document)),
  feature(DefinitionRequest.type, { definitionProvider: true }, ({ document, surroundings }, { position }) =>
    definition(document, position, surroundings),
  ),
  feature(
    PrepareRenameRequest.type,
    { renameProvider: { prepareProvider: true } },
    ({ document, surroundings }, { position }) => prepareRename(document, position, surroundings) ?? null,
  ),
  feature(RenameRequest.type, {}, async ({ document, surroundings, others }, { position, newName }, connection) => {
    const { modelText } = surroundings;
    const ofModel = modelText ? experimentsOfModel(await others(), modelText.uri) : [];
    const { edit, globs } = rename(document, position, newName, surroundings, ofModel);
    if (globs.length > 0) {
      const keys = [...new Set(globs.map(({ key }) => `"${key}"`))].join(', ');
      const message = `The layer was also named by ${keys}, which stays as it is: see whether it still names what it should.`;
      await connection.sendNotification(ShowMessageNotification.type, {
        type: MessageType.Warning,
        message: withoutLinks(message),
      });
    }
    return edit;
  }),
  feature(DocumentFormattingRequest.type, { documentFormattingProvider: true }, ({ document }, { options }) =>
    formatting(document, options),
  ),
  feature(
    DocumentRangeFormattingRequest.type,
    { documentRangeFormattingProvider: true },
    ({ document }, { options, range }) => formatting(document, options, range),
  ),
];

/** An editor may ask for actions of some kinds only, or of kinds above them: `refactor` for `refactor.rewrite`. */
function isWanted(kind: CodeActionKind, { only }: CodeActionContext): boolean {
  return only === undefined || only.some((wanted) => kind === wanted || kind.startsWith(`${wanted}.`));
}
