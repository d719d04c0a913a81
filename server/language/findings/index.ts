/**
 * @file Everything that is wrong or doubtful in an experiment file: the diagnostics and their quick fixes. To add one: a
 * function in this folder, and its row in `checks`.
 */
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { columnFindings } from './columnFindings.ts';
import { MOST_FINDINGS, type Finding } from './finding.ts';
import { followingFindings } from './followingFindings.ts';
import { layerFindings } from './layerFindings.ts';
import { learningRateFindings } from './learningRateFindings.ts';
import { lossFindings } from './lossFindings.ts';
import { modelFindings } from './modelFindings.ts';
import { pathFindings } from './pathFindings.ts';
import { proximalFindings } from './proximalFindings.ts';
import { runFindings } from './runFindings.ts';
import { scheduleFindings } from './scheduleFindings.ts';
import { schemaFindings } from './schemaFindings.ts';
import { threadFindings } from './threadFindings.ts';

type Check = (document: ExperimentDocument, surroundings: Surroundings) => Finding[];

/** Checks of a text that is JSON, however wrong its settings are. */
const checks: readonly Check[] = [
  layerFindings,
  followingFindings,
  scheduleFindings,
  learningRateFindings,
  lossFindings,
  modelFindings,
  proximalFindings,
  threadFindings,
  pathFindings,
  columnFindings,
  runFindings,
];

/** Last found in a version of a document: an editor asks for quick fixes at each place of the cursor. */
const known = new WeakMap<
  ExperimentDocument,
  { readonly around: Surroundings; readonly findings: readonly Finding[] }
>();

/**
 * The findings, sorted by their places in the file. Nothing more is said about a setting that is refused as such. The same array is
 * returned until another version of the document or other surroundings are asked about.
 */
export function findingsOf(document: ExperimentDocument, surroundings: Surroundings): readonly Finding[] {
  const last = known.get(document);
  if (last?.around === surroundings) return last.findings;
  const findings = find(document, surroundings);
  known.set(document, { around: surroundings, findings });
  return findings;
}

function find(document: ExperimentDocument, surroundings: Surroundings): Finding[] {
  const refused = schemaFindings(document, surroundings);
  if (document.json.problems.length > 0) return refused;
  const places = new Set(refused.map(({ range }) => `${range.start} ${range.end}`));
  const more = checks
    .flatMap((check) => check(document, surroundings))
    .filter(({ range }) => !places.has(`${range.start} ${range.end}`));
  return [...refused, ...more].sort((a, b) => a.range.start - b.range.start).slice(0, MOST_FINDINGS);
}
