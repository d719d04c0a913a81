/** @file Learning rates far from those that are usual. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { policyFacts } from '../../protocol/experiment/methods/policies.ts';
import type { ExperimentDocument } from '../experimentDocument.ts';
import { finding, type Finding } from './finding.ts';
import { setTo } from './fixes.ts';
import { readCompressions } from '../readCompression.ts';
import { countAt, numberAt, textAt } from '../writtenSettings.ts';

interface Advice {
  readonly low: number;
  readonly high: number;
  readonly usual: number;
  readonly source: string;
}

const ADAPTIVE = { low: 1e-6, high: 2e-2, usual: 1e-3 };

/** By optimizer; a factor of about 20 off what is usual is far. */
const advice: Readonly<Record<string, Advice>> = {
  adam: { ...ADAPTIVE, source: 'usual is 0.001; the DeepTwist paper gives no rate for its LeNets' },
  rmsprop: { ...ADAPTIVE, source: 'usual is 0.001' },
  adagrad: { low: 1e-5, high: 1, usual: 1e-2, source: 'usual is 0.01' },
  sgd: { low: 1e-5, high: 2, usual: 1e-1, source: 'usual is 0.01 to 0.1' },
};

/** The gradient of a language model is clipped, and its loss a sum over time steps. */
const TEXT_SGD: Advice = {
  low: 1e-2,
  high: 40,
  usual: 1,
  source: 'the DeepTwist paper trains LSTM language models by SGD with 1 to 2.6, and with 20 to quantize them',
};

export function learningRateFindings(document: ExperimentDocument): Finding[] {
  const path = ['training', 'optimizer', 'learningRate'];
  const rate = numberAt(document, path);
  const type = textAt(document, ['training', 'optimizer', 'type']);
  if (rate === undefined || rate <= 0 || type === undefined || !Object.hasOwn(advice, type)) return [];
  const { low, high, usual, source } = adviceFor(document, type);
  if (rate >= low && rate <= high) return [];
  const message = `${rate} is ${rate > high ? 'high' : 'low'} for ${type}: ${source}`;
  return [
    finding(
      document,
      { path },
      {
        severity: DiagnosticSeverity.Warning,
        code: 'unusual-learning-rate',
        message,
        fixes: [setTo(document, path, usual)],
      },
    ),
  ];
}

function adviceFor(document: ExperimentDocument, type: string): Advice {
  const sumsGradients = readCompressions(document).some(({ policy }) => policyFacts[policy].sumsGradients);
  return sumsGradients ? { ...adviceForWeights(document, type), low: 0 } : adviceForWeights(document, type);
}

function adviceForWeights(document: ExperimentDocument, type: string): Advice {
  if (type !== 'sgd' || textAt(document, ['data', 'type']) !== 'text') return advice[type];
  const isSum = textAt(document, ['training', 'lossReduction']) === 'sum-over-time';
  // The gradient of a mean over T time steps is a T-th of that of their sum.
  const factor = isSum ? 1 : (countAt(document, ['data', 'timeSteps']) ?? 1);
  return { ...TEXT_SGD, high: TEXT_SGD.high * factor };
}
