/** @file Ranks that a weight cannot have, or with which its factors are larger than the weight itself. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { storedShape } from '../../../compression/matrixView.ts';
import type { ExperimentDocument } from '../../experimentDocument.ts';
import { finding, type Finding } from './finding.ts';
import { remove, setTo } from './fixes.ts';
import type { LayerTarget } from './layerFindings.ts';
import { countAt, valueAt } from './settings.ts';

/** What is factored together: a weight, or the two of a recurrent layer with a shared projection. */
interface Factored {
  readonly pattern: string;
  readonly names: string;
  readonly rank: number;
  /** The highest rank that the matrix can have: min(m, n). */
  readonly limit: number;
  /** Numbers in the dense weights, and in the factors for each rank: `mn` and `m + n`. */
  readonly dense: number;
  readonly perRank: number;
  readonly shape: string;
}

export function rankFindings(document: ExperimentDocument, targets: readonly LayerTarget[]): Finding[] {
  const findings: Finding[] = [];
  const factored = new Map<string, Factored[]>();
  for (const target of targets) {
    const unit = unitOf(document, target, targets);
    if (unit === 'no-partner') findings.push(noPartner(document, target));
    else if (unit) factored.set(unit.pattern, [...(factored.get(unit.pattern) ?? []), unit]);
  }
  for (const units of factored.values()) findings.push(...rankFinding(document, units));
  return findings;
}

/** Undefined for the first of a pair, which its partner stands for, and where there is no rank. */
function unitOf(
  document: ExperimentDocument,
  target: LayerTarget,
  targets: readonly LayerTarget[],
): Factored | 'no-partner' | undefined {
  const { weight, pattern } = target;
  const rank = countAt(document, [...layer(target), 'rank']);
  if (rank === undefined) return undefined;
  const { rows, columns } = storedShape(target.view);
  const own = { pattern, rank, limit: Math.min(rows, columns) };
  if (!isShared(document, target))
    return {
      ...own,
      names: weight.name,
      dense: rows * columns,
      perRank: rows + columns,
      shape: `[${rows}, ${columns}]`,
    };
  const other = { kernel: 'recurrent_kernel', recurrent_kernel: 'kernel' }[weight.weight];
  const partner = targets.find(
    (candidate) =>
      candidate.weight.layer === weight.layer &&
      candidate.weight.weight === other &&
      isShared(document, candidate) &&
      countAt(document, [...layer(candidate), 'rank']) === rank,
  );
  if (!partner) return 'no-partner';
  if (weight.weight === 'kernel') return undefined;
  const kernelRows = storedShape(partner.view).rows;
  return {
    ...own,
    names: `${weight.layer}, its kernel and recurrent kernel together,`,
    dense: (kernelRows + rows) * columns,
    perRank: kernelRows + rows + columns,
    shape: `[${rows}, ${columns}]`,
  };
}

function rankFinding(document: ExperimentDocument, units: readonly Factored[]): Finding[] {
  const path = ['compression', 'layers', units[0].pattern, 'rank'];
  const lowest = Math.min(...units.map(largestUseful));
  const fixes = lowest > 0 ? [setTo(document, path, lowest)] : [];
  const impossible = units.filter(({ rank, limit }) => rank > limit);
  if (impossible.length > 0) {
    const [{ names, shape, limit, rank }] = impossible;
    const message = `${names} is a ${shape} matrix: expected at most ${limit}, got ${rank}`;
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

function isShared(document: ExperimentDocument, target: LayerTarget): boolean {
  return valueAt(document, [...layer(target), 'sharedProjection']) === true;
}

function noPartner(document: ExperimentDocument, target: LayerTarget): Finding {
  const path = [...layer(target), 'sharedProjection'];
  return finding(
    document,
    { path },
    {
      severity: DiagnosticSeverity.Error,
      code: 'no-shared-projection',
      message:
        `${target.weight.name} has no partner with the same rank to share a projection with: it joins the kernel and the ` +
        'recurrent_kernel of one recurrent layer',
      fixes: [remove(document, path)],
    },
  );
}

function layer({ pattern }: LayerTarget): string[] {
  return ['compression', 'layers', pattern];
}
