/** @file Tool: how far a sweep is, and its best runs so far. */
import * as z from 'zod';
import { UserError } from '../../protocol/userError.ts';
import { compressedSize } from '../../protocol/run/compressedSize.ts';
import { isGreaterBetter } from '../../protocol/run/metricDirection.ts';
import type { FoundRun, SweptRunResult } from '../../protocol/wire/sweep.ts';
import { FILES_AT_ONCE, mapAtOnce } from '../../runs/mapAtOnce.ts';
import { readSweep } from '../../sweeps/runQueue.ts';
import { readSearch } from '../../sweeps/searchState.ts';
import type { Sweep } from '../../sweeps/sweepFolder.ts';
import { shownResult } from '../../sweeps/sweepReader.ts';
import { defineTool, more, page, pageOf, pathInput } from '../tool.ts';

export const followSweep = defineTool({
  name: 'follow_sweep',
  title: 'Follow a sweep or a search',
  description:
    'How many runs of a sweep or a search are in which state, and its finished runs, best first: by the metric on the validation split where all have one, else on the test split. compare_runs with the id of the sweep takes seeds together. Of a search also what it has found: the "set" of that run has the values.',
  effect: 'reads',
  input: z.strictObject({ sweep: pathInput.describe('Id of the sweep, or "last".'), ...pageOf(10) }),
  output: z.object({
    sweep: z.string(),
    runs: z.int(),
    states: z.record(z.string(), z.int()).describe('Number of runs by state; "not begun" among them.'),
    by: z.enum(['validation', 'test']),
    best: z.array(
      z.object({
        run: z.string(),
        set: z.array(z.string()).describe('What is different from other runs.'),
        metric: z.string(),
        validation: z.number().nullable().optional(),
        test: z.number().nullable(),
        ratio: z.number().describe('How many times smaller.'),
      }),
    ),
    more,
    search: z
      .object({
        target: z.string(),
        isOver: z.boolean(),
        isMet: z.boolean().optional().describe('True where the target is reached; absent before the end.'),
        found: z
          .object({
            run: z.string(),
            set: z.array(z.string()),
            validation: z.number().nullable(),
            drop: z.number().nullable().describe("By how much the metric is worse than the dense model's."),
            bytes: z.number().nullable(),
            ratio: z.number().nullable(),
          })
          .optional()
          .describe('The run that was looked for, or the nearest to it.'),
      })
      .optional()
      .describe('Absent for a sweep.'),
    problems: z.array(z.object({ run: z.string(), problem: z.string() })).describe('Why runs failed; at most 10.'),
  }),
  async run({ sweep: reference, limit, offset }, { workspace }) {
    const sweep = await workspace.findSweep(reference);
    if (!sweep)
      throw new UserError(`There is no sweep '${reference}' in ${workspace.folders.join(', ')}.`, {
        remedy: 'Give the id that start_sweep answered: the name of a folder in .deeptwist/sweeps.',
      });
    const outcomes = await readSweep(sweep);
    const states: Record<string, number> = {};
    for (const { state } of outcomes) states[state] = (states[state] ?? 0) + 1;
    const finished = (
      await mapAtOnce(outcomes, FILES_AT_ONCE, async ({ planned, run, state }) => {
        const result = run && state === 'finished' ? await shownResult(run) : undefined;
        return result && { planned, result };
      })
    ).filter((row) => row !== undefined);
    const allValidated = finished.every(({ result }) => result.validation !== undefined);
    const by: 'validation' | 'test' = allValidated ? 'validation' : 'test';
    const { part, more: left } = page(
      finished.toSorted((a, b) => rank(a.result, by) - rank(b.result, by)),
      { limit, offset },
    );
    return {
      sweep: sweep.id,
      runs: sweep.size,
      states,
      by,
      best: part.map(({ planned, result }) => ({
        run: planned.run,
        set: planned.vary,
        metric: result.metric,
        ...(result.validation !== undefined && { validation: result.validation }),
        test: result.test,
        ratio: compressedSize(result).ratio,
      })),
      more: left,
      ...(await searched(sweep)),
      problems: outcomes
        .flatMap(({ planned, run, problem }) => {
          const told = problem ?? run?.record.failure;
          return told ? [{ run: planned.run, problem: told.message }] : [];
        })
        .slice(0, 10),
    };
  },
});

async function searched(sweep: Sweep) {
  const search = await readSearch(sweep);
  if (!search) return {};
  const { target, result } = search;
  return {
    search: {
      target,
      isOver: result !== undefined,
      ...(result && { isMet: result.isMet }),
      ...(result?.best && { found: foundRun(sweep, result.best) }),
    },
  };
}

function foundRun({ plan }: Sweep, { run, value, drop, bytes, ratio }: FoundRun) {
  const set = plan.find((planned) => planned.run === run)?.vary ?? [];
  return { run, set: [...set], validation: value, drop, bytes, ratio };
}

/** Less is better; what is not finite comes last. */
function rank(result: SweptRunResult, by: 'validation' | 'test'): number {
  const value = result[by];
  if (typeof value !== 'number') return Infinity;
  return isGreaterBetter(result.metric) ? -value : value;
}
