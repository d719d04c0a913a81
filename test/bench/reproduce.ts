/**
 * @file The papers' tables on their own data, with seeds, and rivals that were tuned alike: `npm run bench -- reproduce [--table NAME]
 * [--case NAME] [--seeds 5] [--keep FOLDER] [--budget HOURS]`. Each table is written to docs/results/NAME.md. What is finished in the
 * folder of `--keep` is not run again, so that a table can be made in several sittings, and a case of it alone.
 */
import type { Benchmark, Comparison, Result } from './bench.ts';
import { accuracyBeside, withKeptFolder } from './experiments.ts';
import { mnistPruning } from './reproduce/mnistPruning.ts';
import { runStudy, type Outcome, type Study } from './reproduce/study.ts';

const studies: Readonly<Record<string, Study>> = { 'mnist-pruning': mnistPruning };

function comparisons(name: string, [first, ...others]: readonly Outcome[]): Comparison[] {
  return others.map(({ rival, runs }) => accuracyBeside(name, rival.name, first.runs, runs));
}

export default {
  options: {
    table: { type: 'string' },
    case: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    keep: { type: 'string' },
    budget: { type: 'string', default: '1000' },
  },
  async run({ table, case: only, seeds, keep, budget }) {
    const until = Date.now() + Number(budget) * 3_600_000;
    const report: Result[] = [];
    for (const [name, study] of Object.entries(studies)) {
      if (table !== undefined && table !== name) continue;
      const outcomes = await withKeptFolder(keep, (folder) =>
        runStudy(study, {
          ...{ name, seeds: Number(seeds), keep: folder },
          until: (work) => (only === undefined || only === work ? until : 0),
        }),
      );
      for (const [work, own] of outcomes) report.push(...comparisons(work, own));
    }
    return report;
  },
} satisfies Benchmark;
