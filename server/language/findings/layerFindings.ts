/** @file Keys of `compression.layers` that do not fit the model, and parameters that do not fit its weights. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { layerGroups } from '../../compression/methods/groupLasso/layerGroups.ts';
import { refusedTargets, type Refused } from '../../compression/methods/refused.ts';
import { assignTargets, type KeyProblem, type NamedWeight } from '../../compression/targets/targets.ts';
import { writtenCompressions } from '../../protocol/experiment/compressions.ts';
import { isMethod, methodFacts } from '../../protocol/experiment/methods/index.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { finding, type Finding, type Fix, type LayerTarget } from './finding.ts';
import { rename, setTo, setOther } from './fixes.ts';
import { quantizationFindings } from './quantizationFindings.ts';
import { pruningFindings } from './pruningFindings.ts';
import { rankFindings } from './rankFindings.ts';
import { numberAt, recordAt, valueAt } from '../writtenSettings.ts';

/**
 * @param layers the `layers` of the compression that names the targets
 * @param weights all weights of the model
 */
type Check = (
  document: ExperimentDocument,
  layers: SettingPath,
  targets: readonly LayerTarget[],
  weights: readonly NamedWeight[],
) => Finding[];

/** Checks of a layer's parameters against its weights, by the name of the parameter. */
const checks: Readonly<Record<string, Check | undefined>> = {
  rate: pruningFindings,
  bits: quantizationFindings,
  rank: rankFindings,
  lambda: partialLayers,
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
  if (isMethod(method))
    findings.push(...refusedTargets(method, targets).map((wrong) => unfit(document, layers, wrong)));
  const parameters = Object.keys(facts?.parameters ?? {});
  const { weights } = model;
  return [...findings, ...parameters.flatMap((name) => checks[name]?.(document, layers, targets, weights) ?? [])];
}

/** A key of weights that the method cannot take, or cannot take like this. */
function unfit(document: ExperimentDocument, layers: SettingPath, { key, reason, remedy }: Refused): Finding {
  const message = `${reason}. ${remedy}`;
  const path = [...layers, key];
  return finding(document, { path, at: 'key' }, { severity: DiagnosticSeverity.Error, code: 'cannot-take', message });
}

/** Layers of which only a part of each unit is shrunk. */
function partialLayers(
  document: ExperimentDocument,
  layers: SettingPath,
  targets: readonly LayerTarget[],
  weights: readonly NamedWeight[],
): Finding[] {
  const shrunk = targets.map(({ parameters, ...target }) => ({
    ...target,
    parameters: { lambda: 0, alpha: 0, ...(parameters as object) },
  }));
  return layerGroups(shrunk, weights).problems.map((problem) => unfit(document, layers, problem));
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
