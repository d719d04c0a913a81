/** @file What is wrong, or doubtful, with an experiment file, as the editor shows it. */
import { pathToFileURL } from 'node:url';
import type { Diagnostic } from 'vscode-languageserver/node';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { findingsOf } from './index.ts';
import type { Finding } from './finding.ts';

export function diagnosticsOf(document: ExperimentDocument, surroundings: Surroundings): Diagnostic[] {
  return findingsOf(document, surroundings).map((finding) => asDiagnostic(document, finding));
}

export function asDiagnostic(
  document: ExperimentDocument,
  { range, severity, code, message, cause }: Finding,
): Diagnostic {
  const diagnostic: Diagnostic = { range: document.rangeOf(range), severity, code, message, source: 'DeepTwist' };
  if (!cause) return diagnostic;
  const start = { line: cause.line - 1, character: cause.column - 1 };
  const location = { uri: pathToFileURL(cause.file).href, range: { start, end: start } };
  return { ...diagnostic, relatedInformation: [{ location, message: 'The error is thrown here.' }] };
}
