/** @file Keys of `compression.layers` that do not fit the model, and parameters that do not fit its weights. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { assignTargets, type KeyProblem } from '../../compression/targets/targets.ts';
import type { MethodFacts } from '../../protocol/experiment/methods/facts.ts';
import { isMethod, methodFacts } from '../../protocol/experiment/methods/index.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { prunedCount } from '../../compression/methods/prune/rate.ts';
import { finding, type Finding, type Fix, type LayerTarget } from './finding.ts';
import { rename, setTo, setOther } from './fixes.ts';
import { quantizationFindings } from './quantizationFindings.ts';
import { rankFindings } from './rankFindings.ts';
import { numberAt, recordAt, valueAt } from '../writtenSettings.ts';

const LAYERS = ['compression', 'layers'];

type Check = (document: ExperimentDocument, targets: readonly LayerTarget[]) => Finding[];

/** Checks of a layer's parameters against its weights, by the name of the parameter. */
const checks: Readonly<Record<string, Check | undefined>> = {
  rate: idleRates,
  bits: quantizationFindings,
  rank: rankFindings,
};

export function layerFindings(document: ExperimentDocument, { model }: Surroundings): Finding[] {
  const layers = recordAt(document, LAYERS);
  const findings = risingRates(document, Object.keys(layers));
  if (!model) return findings;
  const { targets, problems } = assignTargets(layers, model.weights);
  findings.push(...problems.map((problem) => keyFinding(document, problem)));
  const parameters = factsOf(document)?.parameters ?? {};
  return [...findings, ...Object.keys(parameters).flatMap((name) => checks[name]?.(document, targets) ?? [])];
}

function factsOf(document: ExperimentDocument): MethodFacts | undefined {
  const method = valueAt(document, ['compression', 'method']);
  return isMethod(method) ? methodFacts[method] : undefined;
}

function keyFinding(document: ExperimentDocument, problem: KeyProblem): Finding {
  const { key, code, reason, remedy, meant, weight } = problem;
  const path = [...LAYERS, key];
  const fixes: Fix[] = meant === undefined ? [] : rename(document, path, meant);
  if (weight !== undefined) {
    const parameters = recordAt(document, LAYERS)[key];
    fixes.push({ ...setTo(document, [...LAYERS, weight], parameters), title: `Add "${weight}" as of "${key}"` });
  }
  const message = `${reason}. ${remedy}`;
  return finding(document, { path, at: 'key' }, { severity: DiagnosticSeverity.Error, code, message, fixes });
}

/** Rates that would fall to their target instead of rising to it. */
function risingRates(document: ExperimentDocument, keys: readonly string[]): Finding[] {
  const path = ['compression', 'schedule', 'initialRate'];
  const initial = numberAt(document, path);
  const rises = factsOf(document)?.rises;
  if (initial === undefined || rises === undefined) return [];
  const rates = keys.map((key) => ({ key, rate: numberAt(document, [...LAYERS, key, rises]) }));
  const lowest = rates.filter(({ rate }) => rate !== undefined && rate < initial).sort((a, b) => a.rate! - b.rate!);
  if (lowest.length === 0) return [];
  const [{ key, rate }] = lowest;
  const message = `expected at most the target rate of every layer, got ${initial}: that of "${key}" would fall to ${rate}`;
  return [
    finding(
      document,
      { path },
      {
        severity: DiagnosticSeverity.Warning,
        code: 'falling-rate',
        message,
        fixes: [setOther(document, path, rate), setOther(document, path, 0)].slice(rate === 0 ? 1 : 0),
      },
    ),
  ];
}

/** Rates so low that no weight becomes zero. */
function idleRates(document: ExperimentDocument, targets: readonly LayerTarget[]): Finding[] {
  return targets.flatMap(({ weight, view, key }) => {
    const path = [...LAYERS, key, 'rate'];
    const rate = numberAt(document, path);
    const weights = view.rows * view.columns;
    if (rate === undefined || rate < 0 || prunedCount(rate, weights) > 0) return [];
    const message = `leaves all ${weights.toLocaleString('en')} weights of ${weight.name} as they are`;
    return [finding(document, { path }, { severity: DiagnosticSeverity.Warning, code: 'idle-rate', message })];
  });
}
