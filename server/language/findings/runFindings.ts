/** @file Runs that an experiment names, to start or to learn from, and cannot have. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { didYouMean } from '../../protocol/experiment/didYouMean.ts';
import { namesRun, RUN } from '../../protocol/experiment/runReference.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import { runsNamed } from '../../runs/findRun.ts';
import { isUnderWay } from '../../runs/run.ts';
import type { ExperimentDocument, KnownRun, Surroundings } from '../experimentDocument.ts';
import { finding, type Finding, type Fix } from './finding.ts';
import { setTo } from './fixes.ts';
import { runSettings } from '../namedRuns.ts';
import { textAt, valueAt } from '../writtenSettings.ts';

/** Names in a message; the rest is counted. */
const NAMED = 3;

export function runFindings(document: ExperimentDocument, surroundings: Surroundings): Finding[] {
  return runSettings.flatMap((path) => findingsAt(path, document, surroundings));
}

function findingsAt(path: SettingPath, document: ExperimentDocument, surroundings: Surroundings): Finding[] {
  const text = textAt(document, path);
  if (text === undefined || !namesRun(text)) return [];
  const reference = text.slice(RUN.length);
  const report = (
    code: string,
    message: string,
    fixes: Fix[] = [],
    severity: DiagnosticSeverity = DiagnosticSeverity.Error,
  ) => [finding(document, { path }, { severity, code, message, fixes })];
  if (reference === '')
    return report(
      'no-such-run',
      'expected the id of a run, or the name of an experiment for its newest run, behind "run:"',
    );
  const all = [...surroundings.runs, ...surroundings.others].sort((a, b) =>
    a.record.created.localeCompare(b.record.created),
  );
  const found = reference === 'last' ? all.slice(-1) : runsNamed(reference, all);
  if (found.length === 0) {
    if (surroundings.exists(reference)) return [];
    const meant = didYouMean(reference, new Set(all.flatMap(({ record }) => [record.name, record.id])));
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
    return report(
      'no-such-run',
      `no run has this id, and no run is of an experiment with this name${hint}`,
      meant === undefined ? [] : [setTo(document, path, RUN + meant)],
    );
  }
  if (found.length > 1)
    return report(
      'ambiguous-run',
      `${found.length} runs have an id that begins so`,
      found
        .slice(-NAMED)
        .reverse()
        .map(({ record }) => setTo(document, path, RUN + record.id)),
    );
  const [run] = found;
  const { state } = run;
  const { id } = run.record;
  if (isUnderWay(state))
    return report('run-not-finished', `the run ${id} has not finished yet`, [], DiagnosticSeverity.Warning);
  if (state !== 'finished') return report('run-not-finished', `the run ${id} has no final model: it is ${state}`);
  // A teacher is another model, and weights that are renamed may be those of another.
  const isRenamed = valueAt(document, ['start', 'rename']) !== undefined;
  const misfit = path[0] === 'start' && !isRenamed ? misfitOf(run, surroundings) : undefined;
  return misfit === undefined ? [] : report('run-does-not-fit', `the run ${id} does not fit the model: ${misfit}`);
}

/** What keeps the weights of a run from being those of the model. */
function misfitOf({ weights }: KnownRun, { model }: Surroundings): string | undefined {
  if (!weights || !model) return undefined;
  const shapes = new Map(weights.map(({ name, shape }) => [name, shape.join(', ')]));
  const missing = model.weights.filter(({ name }) => !shapes.has(name)).map(({ name }) => name);
  if (missing.length > 0) return `it lacks ${listed(missing)}`;
  const other = model.weights.filter(({ name, shape }) => shapes.get(name) !== shape.join(', '));
  if (other.length === 0) return undefined;
  return listed(other.map(({ name, shape }) => `${name} is [${shapes.get(name)}], not [${shape.join(', ')}]`));
}

function listed(texts: readonly string[]): string {
  const rest = texts.length - NAMED;
  return texts.slice(0, NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
