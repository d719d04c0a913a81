/** @file Numbers of bits with which the codes and their scales take more than the weight itself. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { binaryCodeSize } from '../../compression/methods/quantize/size.ts';
import { denseSize } from '../../compression/size.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ExperimentDocument } from '../experimentDocument.ts';
import { finding, type Finding, type LayerTarget } from './finding.ts';
import { setOther } from './fixes.ts';
import { countAt, textAt } from '../writtenSettings.ts';

export function quantizationFindings(
  document: ExperimentDocument,
  layers: SettingPath,
  targets: readonly LayerTarget[],
): Finding[] {
  const seen = new Set<string>();
  return targets.flatMap(({ weight, view, key }) => {
    const layer = [...layers, key];
    const bits = countAt(document, [...layer, 'bits']);
    const perRow = textAt(document, [...layer, 'scales']) !== 'matrix';
    if (bits === undefined || seen.has(key)) return [];
    const dense = denseSize(view.rows * view.columns).bits;
    const size = binaryCodeSize(view, bits, perRow ? 'row' : 'matrix').bits;
    if (size <= dense) return [];
    seen.add(key);
    const helps = perRow && binaryCodeSize(view, bits, 'matrix').bits < dense;
    const message =
      `makes ${weight.name} larger: ${(size / 8).toLocaleString('en')} bytes instead of ${(dense / 8).toLocaleString('en')}; ` +
      `its ${view.rows} rows of ${view.columns} weights have ${bits} scales each`;
    return [
      finding(
        document,
        { path: [...layer, 'bits'] },
        {
          severity: DiagnosticSeverity.Warning,
          code: 'bits-make-larger',
          message,
          fixes: helps ? [setOther(document, [...layer, 'scales'], 'matrix')] : [],
        },
      ),
    ];
  });
}
