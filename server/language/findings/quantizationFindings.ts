/** @file Layers whose codes, with all that says what they stand for, take more than the weight itself; buckets of more numbers than a weight. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { quantizerOf } from '../../compression/methods/quantize/quantizers.ts';
import { denseSize, FLOAT_BITS } from '../../compression/size.ts';
import type { MatrixView } from '../../compression/targets/matrixView.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import { quantizationParameters, type QuantizationParameters } from '../../protocol/experiment/schema/quantization.ts';
import type { ExperimentDocument } from '../experimentDocument.ts';
import { countAt, recordAt } from '../writtenSettings.ts';
import { finding, type Finding, type LayerTarget } from './finding.ts';
import { setOther } from './fixes.ts';

/** Settings with which a weight needs fewer numbers besides its codes, by name. */
const leaner: readonly [name: string, value: string][] = [
  ['scales', 'matrix'],
  ['bucket', 'tensor'],
];

export function quantizationFindings(
  document: ExperimentDocument,
  layers: SettingPath,
  targets: readonly LayerTarget[],
): Finding[] {
  const byKey = new Map(targets.map((target) => [target.key, targets.filter(({ key }) => key === target.key)]));
  return Array.from(byKey.values()).flatMap((ofKey) => [
    ...firstFinding(ofKey, (target) => largerWeight(document, layers, target)),
    ...firstFinding(ofKey, (target) => largeBucket(document, layers, target)),
  ]);
}

/** What is said of one weight of a key is not said of the others. */
function firstFinding(
  targets: readonly LayerTarget[],
  findingOf: (target: LayerTarget) => Finding | undefined,
): Finding[] {
  for (const target of targets) {
    const found = findingOf(target);
    if (found) return [found];
  }
  return [];
}

function largerWeight(
  document: ExperimentDocument,
  layers: SettingPath,
  { weight, view, key }: LayerTarget,
): Finding | undefined {
  const layer = [...layers, key];
  const written = recordAt(document, layer);
  const parameters = parametersOf(written);
  const dense = denseSize(view.rows * view.columns).bits;
  if (!parameters || bitsOf(view, parameters) <= dense) return undefined;
  const bits = bitsOf(view, parameters);
  const numbers = (bits - parameters.bits * view.rows * view.columns) / FLOAT_BITS;
  const helpful = leaner.filter(([name, value]) => {
    const changed = parametersOf({ ...written, [name]: value });
    return changed && bitsOf(view, changed) < dense;
  });
  return finding(
    document,
    { path: [...layer, 'bits'] },
    {
      severity: DiagnosticSeverity.Warning,
      code: 'bits-make-larger',
      message:
        `makes ${weight.name} larger: ${(bits / 8).toLocaleString('en')} bytes instead of ${(dense / 8).toLocaleString('en')}; ` +
        `besides the codes, it needs ${numbers.toLocaleString('en')} numbers of ${FLOAT_BITS} bits`,
      fixes: helpful.map(([name, value]) => setOther(document, [...layer, name], value)),
    },
  );
}

function parametersOf(written: unknown): QuantizationParameters | undefined {
  return quantizationParameters.safeParse(written).data;
}

function bitsOf(view: MatrixView, parameters: QuantizationParameters): number {
  return quantizerOf(parameters).predictSize(view).bits;
}

function largeBucket(
  document: ExperimentDocument,
  layers: SettingPath,
  { weight, view, key }: LayerTarget,
): Finding | undefined {
  const path = [...layers, key, 'bucket'];
  const bucket = countAt(document, path);
  const numbers = view.rows * view.columns;
  if (bucket === undefined || bucket <= numbers) return undefined;
  return finding(
    document,
    { path },
    {
      severity: DiagnosticSeverity.Warning,
      code: 'bucket-above-weight',
      message: `${weight.name} has ${numbers.toLocaleString('en')} numbers: all of them are one bucket`,
      fixes: [setOther(document, path, 'tensor')],
    },
  );
}
