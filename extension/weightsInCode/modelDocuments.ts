/** @file Documents that may be the code of a model. */
import type { TextDocument } from 'vscode';

export const LANGUAGES: readonly string[] = ['typescript', 'typescriptreact', 'javascript', 'javascriptreact'];

/** A file of the disk whose text may make layers. */
export function mayMakeLayers(document: TextDocument): boolean {
  return (
    document.uri.scheme === 'file' &&
    LANGUAGES.includes(document.languageId) &&
    /\blayers\s*\.\s*\w/.test(document.getText())
  );
}
