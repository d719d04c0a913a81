/** @file Compressions of a list that cannot go on with what an earlier one leaves of a weight. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { followingProblem } from '../../protocol/experiment/methods/following.ts';
import { formatSettingPath } from '../../protocol/experiment/settingPath.ts';
import { compressedModel } from '../compressedModel.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import type { ReadCompression } from '../readCompression.ts';
import { finding, type Finding } from './finding.ts';
import { remove } from './fixes.ts';

/** One for each key, and for each policy. */
export function followingFindings(document: ExperimentDocument, { model }: Surroundings): Finding[] {
  const compressed = compressedModel(document, model);
  const found = new Map<string, Finding>();
  for (const weight of model?.weights ?? []) {
    const own = compressed?.compressionsOf(weight) ?? [];
    own.slice(1).forEach(({ compression, key }, i) => {
      const before = own.slice(0, i + 1).map((earlier) => placed(earlier.compression));
      const problem = followingProblem(placed(compression), before, weight.name);
      if (!problem) return;
      const isKey = problem.setting === 'key';
      const path = [...compression.path, ...(isKey ? ['layers', key] : ['policy'])];
      const name = formatSettingPath(path);
      if (found.has(name)) return;
      const about = {
        severity: DiagnosticSeverity.Error,
        code: 'cannot-follow',
        message: `${problem.reason}. ${problem.remedy}`,
        fixes: isKey ? [remove(document, path)] : [],
      };
      found.set(name, finding(document, { path, at: isKey ? 'key' : 'value' }, about));
    });
  }
  return [...found.values()];
}

function placed(compression: ReadCompression) {
  return { ...compression, place: formatSettingPath(compression.path) };
}
