/** @file Documents that may be the code of a model. */
import type { TextDocument } from 'vscode';

export const PYTHON = 'python';

export const LANGUAGES: readonly string[] = ['typescript', 'typescriptreact', 'javascript', 'javascriptreact', PYTHON];

/** Calls of TensorFlow.js that make layers, and classes of PyTorch that are modules. */
const LAYERS = /\blayers\s*\.\s*\w/;
const MODULES = /\bclass\s+\w+\s*\([^)]*Module\b/;

/** A file of the disk whose text may make layers. */
export function mayMakeLayers(document: TextDocument): boolean {
  return (
    document.uri.scheme === 'file' &&
    LANGUAGES.includes(document.languageId) &&
    (document.languageId === PYTHON ? MODULES : LAYERS).test(document.getText())
  );
}
