/** @file Ranks that a weight cannot have, or with which its factors are larger than the weight itself. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { storedShape } from '../../compression/targets/matrixView.ts';
import {
  NO_PARTNER_REMEDY,
  projectionUnits,
  withoutPartner,
  type RankedWeight,
} from '../../compression/methods/lowRank/sharedProjection.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ExperimentDocument } from '../experimentDocument.ts';
import { finding, type Finding, type LayerTarget } from './finding.ts';
import { remove, setTo } from './fixes.ts';
import { countAt, valueAt } from '../writtenSettings.ts';

/** What is factored together: a weight, or those that share a projection. */
interface Factored {
  readonly key: string;
  /** The weight that is truncated; the others are projected. */
  readonly name: string;
  readonly names: string;
  readonly rank: number;
  /** The highest rank that the matrix can have: min(m, n). */
  readonly limit: number;
  /** Numbers in the dense weights, and in the factors for each rank: `mn` and `m + n`. */
  readonly dense: number;
  readonly perRank: number;
  readonly shape: string;
}

export function rankFindings(
  document: ExperimentDocument,
  layers: SettingPath,
  targets: readonly LayerTarget[],
): Finding[] {
  const ranked = targets.flatMap((target) => {
    const rank = countAt(document, [...layers, target.key, 'rank']);
    const sharedProjection = valueAt(document, [...layers, target.key, 'sharedProjection']) === true;
    return rank === undefined ? [] : [{ ...target, parameters: { rank, sharedProjection } }];
  });
  const units = projectionUnits(ranked);
  const factored = new Map<string, Factored[]>();
  for (const unit of units) {
    const [{ key }] = unit;
    factored.set(key, [...(factored.get(key) ?? []), factoredOf(unit)]);
  }
  return [
    ...withoutPartner(units).map((target) => noPartner(document, layers, target)),
    ...[...factored.values()].flatMap((ofPattern) => rankFinding(document, layers, ofPattern)),
  ];
}

/** @param unit a weight, or those that share the projection of the first */
function factoredOf([first, ...others]: readonly (RankedWeight & LayerTarget)[]): Factored {
  const { rows, columns } = storedShape(first.view);
  const all = others.reduce((sum, { view }) => sum + storedShape(view).columns, columns);
  const names = [first, ...others].map(({ weight }) => weight.name);
  return {
    key: first.key,
    name: first.weight.name,
    names: names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)} together`,
    rank: first.parameters.rank,
    limit: Math.min(rows, columns),
    dense: rows * all,
    perRank: rows + all,
    shape: `[${rows}, ${columns}]`,
  };
}

function rankFinding(document: ExperimentDocument, layers: SettingPath, units: readonly Factored[]): Finding[] {
  const path = [...layers, units[0].key, 'rank'];
  const lowest = Math.min(...units.map(largestUseful));
  const fixes = lowest > 0 ? [setTo(document, path, lowest)] : [];
  const impossible = units.filter(({ rank, limit }) => rank > limit);
  if (impossible.length > 0) {
    const [{ name, shape, limit, rank }] = impossible;
    const message = `${name} is a ${shape} matrix: expected at most ${limit}, got ${rank}`;
    return [finding(document, { path }, { severity: DiagnosticSeverity.Error, code: 'rank-too-high', message, fixes })];
  }
  const larger = units.filter(({ rank, dense, perRank }) => rank * perRank > dense);
  if (larger.length === 0) return [];
  const [unit] = larger;
  const numbers = (count: number) => count.toLocaleString('en');
  const breakEven = unit.dense / unit.perRank;
  const message =
    `makes ${unit.names}${larger.length > 1 ? ` and ${larger.length - 1} more` : ''} larger: ${numbers(unit.rank * unit.perRank)} numbers instead of ${numbers(unit.dense)}; ` +
    `below rank ${numbers(breakEven)} = mn / (m + n) it becomes smaller`;
  return [
    finding(
      document,
      { path },
      { severity: DiagnosticSeverity.Warning, code: 'rank-above-break-even', message, fixes },
    ),
  ];
}

/** The highest rank whose factors have fewer numbers than the weight. */
function largestUseful({ dense, perRank }: Factored): number {
  return Math.ceil(dense / perRank) - 1;
}

function noPartner(document: ExperimentDocument, layers: SettingPath, target: LayerTarget): Finding {
  const path = [...layers, target.key, 'sharedProjection'];
  return finding(
    document,
    { path },
    {
      severity: DiagnosticSeverity.Error,
      code: 'no-shared-projection',
      message: `${target.weight.name} has no partner with the same rank to share a projection with. ${NO_PARTNER_REMEDY}`,
      fixes: [remove(document, path)],
    },
  );
}
