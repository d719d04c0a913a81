/** @file Keys of `compression.layers` that do not fit the model, and parameters that do not fit its weights. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { assignTargets, type KeyProblem } from '../../compression/targets/targets.ts';
import { writtenCompressions } from '../../protocol/experiment/compressions.ts';
import { isMethod, methodFacts } from '../../protocol/experiment/methods/index.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { prunedCount } from '../../compression/methods/prune/rate.ts';
import { finding, type Finding, type Fix, type LayerTarget } from './finding.ts';
import { rename, setTo, setOther } from './fixes.ts';
import { quantizationFindings } from './quantizationFindings.ts';
import { rankFindings } from './rankFindings.ts';
import { numberAt, recordAt, valueAt } from '../writtenSettings.ts';

/** @param layers the `layers` of the compression that names the targets */
type Check = (document: ExperimentDocument, layers: SettingPath, targets: readonly LayerTarget[]) => Finding[];

/** Checks of a layer's parameters against its weights, by the name of the parameter. */
const checks: Readonly<Record<string, Check | undefined>> = {
  rate: idleRates,
  bits: quantizationFindings,
  rank: rankFindings,
};

export function layerFindings(document: ExperimentDocument, { model }: Surroundings): Finding[] {
  return writtenCompressions(document.settings).flatMap(({ path }) => findingsOf(document, path, model));
}

function findingsOf(document: ExperimentDocument, path: SettingPath, model: Surroundings['model']): Finding[] {
  const layers = [...path, 'layers'];
  const written = recordAt(document, layers);
  const method = valueAt(document, [...path, 'method']);
  const facts = isMethod(method) ? methodFacts[method] : undefined;
  const findings = facts?.rises === undefined ? [] : risingRates(document, path, Object.keys(written), facts.rises);
  if (!model) return findings;
  const { targets, problems } = assignTargets(written, model.weights);
  findings.push(...problems.map((problem) => keyFinding(document, layers, problem)));
  const parameters = Object.keys(facts?.parameters ?? {});
  return [...findings, ...parameters.flatMap((name) => checks[name]?.(document, layers, targets) ?? [])];
}

function keyFinding(document: ExperimentDocument, layers: SettingPath, problem: KeyProblem): Finding {
  const { key, code, reason, remedy, meant, weight } = problem;
  const path = [...layers, key];
  const fixes: Fix[] = meant === undefined ? [] : rename(document, path, meant);
  if (weight !== undefined) {
    const parameters = recordAt(document, layers)[key];
    fixes.push({ ...setTo(document, [...layers, weight], parameters), title: `Add "${weight}" as of "${key}"` });
  }
  const message = `${reason}. ${remedy}`;
  return finding(document, { path, at: 'key' }, { severity: DiagnosticSeverity.Error, code, message, fixes });
}

/** Rates that would fall to their target instead of rising to it. */
function risingRates(
  document: ExperimentDocument,
  compression: SettingPath,
  keys: readonly string[],
  rises: string,
): Finding[] {
  const path = [...compression, 'schedule', 'initialRate'];
  const initial = numberAt(document, path);
  if (initial === undefined) return [];
  const rates = keys.map((key) => ({ key, rate: numberAt(document, [...compression, 'layers', key, rises]) }));
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
function idleRates(document: ExperimentDocument, layers: SettingPath, targets: readonly LayerTarget[]): Finding[] {
  return targets.flatMap(({ weight, view, key }) => {
    const path = [...layers, key, 'rate'];
    const rate = numberAt(document, path);
    const weights = view.rows * view.columns;
    if (rate === undefined || rate < 0 || prunedCount(rate, weights) > 0) return [];
    const message = `leaves all ${weights.toLocaleString('en')} weights of ${weight.name} as they are`;
    return [finding(document, { path }, { severity: DiagnosticSeverity.Warning, code: 'idle-rate', message })];
  });
}
