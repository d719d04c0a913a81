/** @file What is wrong, or doubtful, with an experiment file, as the editor shows it. */
import type { Diagnostic } from 'vscode-languageserver/node';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { findingsOf } from './index.ts';
import type { Finding } from './finding.ts';

export function diagnosticsOf(document: ExperimentDocument, surroundings: Surroundings): Diagnostic[] {
  return findingsOf(document, surroundings).map((finding) => asDiagnostic(document, finding));
}

export function asDiagnostic(document: ExperimentDocument, { range, severity, code, message }: Finding): Diagnostic {
  return { range: document.rangeOf(range), severity, code, message, source: 'DeepTwist' };
}
