/** @file More threads than the machine has cores. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { threadsProblem } from '../../protocol/experiment/threads.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { countAt } from '../writtenSettings.ts';
import { finding, type Finding } from './finding.ts';
import { setTo } from './fixes.ts';

export function threadFindings(document: ExperimentDocument, { cores }: Surroundings): Finding[] {
  const path = ['training', 'threads'];
  const threads = countAt(document, path);
  const problem = threads === undefined ? undefined : threadsProblem(threads, cores);
  if (!problem) return [];
  const severity = problem.isError ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning;
  const fixes = [setTo(document, path, cores)];
  return [finding(document, { path }, { severity, code: 'too-many-threads', message: problem.message, fixes })];
}
