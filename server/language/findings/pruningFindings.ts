/** @file Patterns that are larger than the matrix of a weight, and rates with which no weight becomes zero. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { patternProblem } from '../../compression/methods/prune/patternProblem.ts';
import { predictSizes } from '../../compression/predictSize.ts';
import { prunedLayer } from '../../protocol/experiment/schema/compression.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ExperimentDocument } from '../experimentDocument.ts';
import { compressionAt } from '../readCompression.ts';
import { numberAt, textAt } from '../writtenSettings.ts';
import { finding, type Finding, type LayerTarget } from './finding.ts';

export function pruningFindings(
  document: ExperimentDocument,
  layers: SettingPath,
  targets: readonly LayerTarget[],
): Finding[] {
  const compression = compressionAt(document, layers);
  /** Under one threshold for all layers, a small one may keep all its weights. */
  const isTogether = textAt(document, [...layers.slice(0, -1), 'scope']) === 'model';
  return targets.flatMap(({ weight, view, key, parameters: written }) => {
    const setting = compression?.layers.get(key);
    const { data: parameters } = prunedLayer.safeParse(written);
    if (!setting || !parameters) return [];
    const path = [...layers, key];
    const problem = patternProblem(weight.name, view, parameters);
    if (problem)
      return [
        finding(
          document,
          { path: [...path, problem.setting] },
          { severity: DiagnosticSeverity.Error, code: 'pattern-too-large', message: problem.reason },
        ),
      ];
    const [{ weights, weightsKept }] = predictSizes([weight], () => [setting]);
    if (isTogether || weightsKept < weights || numberAt(document, [...path, 'rate']) === undefined) return [];
    const message = `leaves all ${weights.toLocaleString('en')} weights of ${weight.name} as they are`;
    return [
      finding(
        document,
        { path: [...path, 'rate'] },
        { severity: DiagnosticSeverity.Warning, code: 'idle-rate', message },
      ),
    ];
  });
}
