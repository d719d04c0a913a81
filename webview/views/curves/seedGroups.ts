/** @file Runs that differ in their seed alone, as one line: the mean at each step, and a band from the least of them to the greatest. Pure. */
import * as l10n from '@vscode/l10n';
import { flattenSettings } from '../../../server/protocol/experiment/flattenSettings.ts';
import { groupBy } from '../../../server/protocol/groupBy.ts';
import type { EventOf } from '../../../server/protocol/run/events.ts';
import { seedGroupKey, seedOf } from '../../../server/protocol/run/seedGroups.ts';
import type { Series } from '../../charts/model/content.ts';
import type { ShownRun } from '../../state.ts';

type Config = EventOf<'started'>['config'];

/** Runs that differ in their seed alone; most often one. */
export interface SeedGroup<Run extends ShownRun> {
  /** That of its first run. */
  readonly key: string;
  readonly color: number;
  /** Different from that of every other group. */
  readonly label: string;
  /** Each with another seed. */
  readonly runs: readonly Run[];
}

interface Seeding {
  /** The same for runs that differ in their seed alone. */
  readonly shared: string;
  readonly seed: string | undefined;
}

/** Seedings by settings, kept since each chart asks at each draw. */
const seedings = new WeakMap<Config, Seeding>();

function seedingOf(config: Config): Seeding {
  const known = seedings.get(config);
  if (known) return known;
  const settings = flattenSettings(config);
  const seeding = { shared: seedGroupKey(settings), seed: seedOf(settings) };
  seedings.set(config, seeding);
  return seeding;
}

/** Groups in the order of their first runs. A run of which nothing is recorded is one by itself, and so is a seed that is there twice. */
export function seedGroupsOf<Run extends ShownRun>(runs: readonly Run[]): SeedGroup<Run>[] {
  const counts = new Map<string, number>();
  const byExperiment = groupBy(runs, ({ key, snapshot }) => {
    if (!snapshot?.started) return key;
    const { shared, seed } = seedingOf(snapshot.started.config);
    const own = `${seed} ${shared}`;
    const times = (counts.get(own) ?? 0) + 1;
    counts.set(own, times);
    return `${times} ${shared}`;
  });
  const groups = [...byExperiment.values()];
  return groups.map((own) => {
    const [{ key, color, label }] = own;
    return { key, color, runs: own, label: own.length === 1 ? label : groupLabel(own, groups.length > 1) };
  });
}

/** True where there is something to take together. */
export function haveSeveralSeeds(runs: readonly ShownRun[]): boolean {
  return seedGroupsOf(runs).some((group) => group.runs.length > 1);
}

/** The label of its first run without the seed. */
function groupLabel(runs: readonly ShownRun[], hasOthers: boolean): string {
  const seeds = l10n.t('{0} seeds', runs.length);
  if (!hasOthers) return seeds;
  const [first] = runs;
  // The name that a user gave belongs to one run, not to its group.
  const told = first.summary?.label?.name === first.label ? (first.summary.differs ?? first.label) : first.label;
  const own = told
    .split(/(?:, | · )/)
    .filter((part) => !/^seed[= ]/.test(part))
    .join(', ');
  const label = own === '' ? (first.summary?.name ?? first.label) : own;
  return `${label} · ${seeds}`;
}

/** A line of a run: what was recorded at some steps. */
export interface StepLine {
  /** Ascending. */
  readonly step: ArrayLike<number>;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** The lines at the steps that all of them have. */
export interface MeanLine {
  /** The mean places, since times differ. */
  readonly x: Float64Array;
  readonly mean: Float64Array;
  readonly least: Float64Array;
  readonly greatest: Float64Array;
}

/** @param lines at least one */
export function meanLine(lines: readonly StepLine[]): MeanLine {
  const most = Math.min(...lines.map(({ step }) => step.length));
  const columns = { x: [], mean: [], least: [], greatest: [] } as Record<keyof MeanLine, number[]>;
  const at = lines.map(() => 0);
  for (let count = 0; count < most;) {
    const wanted = Math.max(...lines.map(({ step }, i) => step[at[i]]));
    let isCommon = true;
    for (const [i, { step }] of lines.entries()) {
      while (at[i] < step.length && step[at[i]] < wanted) at[i]++;
      if (at[i] >= step.length) return asColumns(columns);
      isCommon &&= step[at[i]] === wanted;
    }
    if (!isCommon) continue;
    let [x, sum, least, greatest] = [0, 0, Infinity, -Infinity];
    for (const [i, line] of lines.entries()) {
      const value = line.y[at[i]];
      x += line.x[at[i]] / lines.length;
      sum += value;
      least = Math.min(least, value);
      greatest = Math.max(greatest, value);
      at[i]++;
    }
    columns.x.push(x);
    columns.mean.push(sum / lines.length);
    columns.least.push(least);
    columns.greatest.push(greatest);
    if (at.some((place, i) => place >= lines[i].step.length)) break;
    count++;
  }
  return asColumns(columns);
}

function asColumns({ x, mean, least, greatest }: Record<keyof MeanLine, number[]>): MeanLine {
  const column = (values: readonly number[]) => Float64Array.from(values);
  return { x: column(x), mean: column(mean), least: column(least), greatest: column(greatest) };
}

/**
 * The mean of the runs of a group as a line, and its band behind it.
 * @param id of the line; unique in its chart
 * @param label of the group
 */
export function bandSeries(
  id: string,
  label: string,
  color: number,
  lines: readonly StepLine[],
  smooth: boolean,
): Series[] {
  const { x, mean, least, greatest } = meanLine(lines);
  return [
    { id, label: l10n.t('{0}, mean', label), column: `${label} mean`, color, x, y: mean, smooth },
    {
      id: `${id} band`,
      label: l10n.t('{0}, least to greatest', label),
      column: `${label} greatest`,
      color,
      mark: 'band',
      x,
      y: greatest,
      from: least,
      smooth,
    },
  ];
}
