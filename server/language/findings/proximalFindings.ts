/** @file Proximal steps that do not go with the optimizer, or with the policy. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { PROXIMAL_OPTIMIZER } from '../../protocol/experiment/firstExperiment.ts';
import { methodFacts } from '../../protocol/experiment/methods/index.ts';
import { unsuitedOptimizer } from '../../protocol/experiment/proximalSteps.ts';
import type { ExperimentDocument } from '../experimentDocument.ts';
import { distortsRegularly, readCompressions, type ReadCompression } from '../readCompression.ts';
import { textAt } from '../writtenSettings.ts';
import { finding, type Finding } from './finding.ts';
import { setOther } from './fixes.ts';

const OPTIMIZER = ['training', 'optimizer'];

export function proximalFindings(document: ExperimentDocument): Finding[] {
  const compressions = readCompressions(document);
  const [unsuited] = compressions.flatMap((read) => otherMetric(document, read));
  return [...(unsuited ? [unsuited] : []), ...compressions.flatMap((read) => oneStep(document, read))];
}

function otherMetric(document: ExperimentDocument, { method }: ReadCompression): Finding[] {
  const path = [...OPTIMIZER, 'type'];
  const type = textAt(document, path);
  const message = type === undefined ? undefined : unsuitedOptimizer(method, type);
  if (message === undefined) return [];
  return [
    finding(
      document,
      { path },
      {
        severity: DiagnosticSeverity.Warning,
        code: 'proximal-optimizer',
        message,
        fixes: [setOther(document, OPTIMIZER, PROXIMAL_OPTIMIZER)],
      },
    ),
  ];
}

/** A policy that distorts once takes one threshold off, where training would take one off after each epoch. */
function oneStep(document: ExperimentDocument, read: ReadCompression): Finding[] {
  const { proximal } = methodFacts[read.method];
  const threshold = [...read.path, 'threshold'];
  if (!proximal || distortsRegularly(read) || textAt(document, threshold) === proximal.strength) return [];
  const message = `cuts learning rate x ${proximal.strength} only once: no training step finds a structure that way`;
  return [
    finding(
      document,
      { path: [...read.path, 'policy'] },
      {
        severity: DiagnosticSeverity.Warning,
        code: 'one-proximal-step',
        message,
        fixes: [
          setOther(document, [...read.path, 'policy'], 'deeptwist'),
          setOther(document, threshold, proximal.strength),
        ],
      },
    ),
  ];
}
