/**
 * @file The papers' tables on their own data, with seeds, and rivals that were tuned alike: `npm run bench -- reproduce [--table NAME]
 * [--case NAME] [--seeds 5] [--keep FOLDER] [--budget HOURS] [--ptb FOLDER]`. What each run came to is a line of docs/results/runs.jsonl, from
 * which the pages beside it are written: what has a line is not trained again, on another machine either, and `--budget 0` trains
 * nothing. Run folders are in the folder of `--keep`, where one that was interrupted goes on.
 */
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { root } from '../../scripts/root.js';
import { isGreaterBetter } from '../../server/protocol/run/metricDirection.ts';
import type { Benchmark, Comparison } from './bench.ts';
import { studies } from './reproduce/index.ts';
import { scaleOf } from './reproduce/metricScale.ts';
import { Outcomes, testOf } from './reproduce/outcomes.ts';
import { RunRecords } from './reproduce/runRecords.ts';
import { trainCases, writePages } from './reproduce/runStudies.ts';
import type { Case } from './reproduce/study.ts';
import { Trainer } from './reproduce/trainer.ts';
import { Turns } from './reproduce/turns.ts';

/** The mean test metrics of the first rival of a case and of each other one that was trained: a ratio above 1 is a better one. */
function comparisons({ name, rivals: [first, ...others] }: Case, outcomes: Outcomes): Comparison[] {
  const own = outcomes.of(name, first.name);
  return others.flatMap((rival) => {
    const other = outcomes.of(name, rival.name);
    if (own.runs.size === 0 || other.runs.size === 0) return [];
    const [{ metric }] = own.runs.values();
    const { factor, unit } = scaleOf(metric);
    const [ours, theirs] = [own, other].map((outcome) => factor * testOf(outcome).mean);
    const ratio = isGreaterBetter(metric) ? ours / theirs : theirs / ours;
    return [{ case: name, rival: rival.name, threads: 1, ours, theirs, unit: `${unit} ${metric}`, ratio, target: 1 }];
  });
}

function find<T extends { readonly name: string }>(all: readonly T[], name: string | undefined, what: string): T[] {
  const found = all.filter((one) => name === undefined || one.name === name);
  if (found.length === 0) throw new Error(`There is no ${what} ${name}, but ${all.map((one) => one.name).join(', ')}.`);
  return found;
}

export default {
  options: {
    table: { type: 'string' },
    case: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    keep: { type: 'string', default: join(root, '.cache', 'bench', 'reproduce') },
    /** Hours after which no further run is begun. */
    budget: { type: 'string', default: '1000' },
    /** Folder of the Penn Treebank in Mikolov's form: ptb.train.txt, ptb.valid.txt, ptb.test.txt. */
    ptb: { type: 'string' },
    /** Folder of runs.jsonl and of the pages. */
    results: { type: 'string', default: join(root, 'docs', 'results') },
  },
  async run(options) {
    const { table, case: only, seeds: count, keep, budget, ptb, results } = options as Record<string, string>;
    const seeds = Number(count);
    const records = new RunRecords(join(results, 'runs.jsonl'));
    const trainer = new Trainer({
      records,
      turns: new Turns(availableParallelism()),
      keep: resolve(keep),
      until: Date.now() + Number(budget) * 3_600_000,
      corpora: { PTB: ptb === undefined ? undefined : resolve(ptb) },
    });
    const chosen = find(studies, table, 'table').flatMap(({ cases }) => cases);
    const cases = only === undefined ? chosen : find(chosen, only, 'case');
    const write = () => writePages({ studies, find: records.find, seeds, folder: results });
    try {
      await trainCases(cases, { trainer, find: records.find, seeds }, write);
    } finally {
      await write();
    }
    const outcomes = new Outcomes(cases, seeds, records.find);
    return cases.flatMap((work) => comparisons(work, outcomes));
  },
} satisfies Benchmark;
