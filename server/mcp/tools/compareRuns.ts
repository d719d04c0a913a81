/** @file Tool: runs side by side, those of several seeds as their means. */
import * as z from 'zod';
import { runForAgent } from '../commands.ts';
import { defineTool, more, page, pageOf, runReference } from '../tool.ts';

const statistics = z.looseObject({ mean: z.number().nullable() });

/** What `deeptwist compare --json` prints. */
const comparison = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      runs: z.array(z.string()),
      seeds: z.array(z.int()),
      metric: z.string().optional(),
      settings: z.record(z.string(), z.string().nullable()),
      results: z.record(z.string(), statistics),
    }),
  ),
  differences: z.array(
    z.looseObject({ from: z.string(), to: z.string(), result: z.string(), mean: z.number().nullable() }),
  ),
});

export const compareRuns = defineTool({
  name: 'compare_runs',
  title: 'Compare runs',
  description:
    'The settings in which runs differ and their results. Runs that differ in the seed alone are one group, with mean, deviation and 95% interval; "differences" says of each group whether it differs from the first by more than noise. Choose by validation; "test" is for the end.',
  effect: 'reads',
  input: z.strictObject({
    runs: z.array(runReference).min(1).max(100).describe('Runs, or one or more sweeps.'),
    ...pageOf(20),
  }),
  output: z.object({
    ...comparison.shape,
    more,
  }),
  async run({ runs, limit, offset }, call) {
    const paths: string[] = [];
    for (const reference of runs) {
      const sweep = reference === 'last' ? undefined : await call.workspace.findSweep(reference);
      paths.push(sweep?.path ?? (await call.workspace.findRun(reference)).path);
    }
    const [directory] = call.workspace.folders;
    const { groups, differences } = comparison.parse(await runForAgent(call, ['compare', ...paths], directory));
    const { part, more: left } = page(groups, { limit, offset });
    const shown = new Set(part.map(({ name }) => name));
    return { groups: part, differences: differences.filter(({ to }) => shown.has(to)), more: left };
  },
});
