/** @file Tool: the runs of the workspace. */
import * as z from 'zod';
import { recordedRatio } from '../../protocol/run/compressedSize.ts';
import { defineTool, more, page, pageOf } from '../tool.ts';

export const listRuns = defineTool({
  name: 'list_runs',
  title: 'List runs',
  description:
    'The runs of the workspace, newest first, with their results. follow_run tells more of one, compare_runs of several.',
  effect: 'reads',
  input: z.strictObject({
    experiment: z.string().max(4096).optional().describe('Only those of the experiment with this name.'),
    state: z
      .enum(['queued', 'running', 'finished', 'failed', 'stopped', 'interrupted'])
      .optional()
      .describe('Only those in this state.'),
    sweep: z.string().max(4096).optional().describe('Only those of the sweep with this id.'),
    ...pageOf(20),
  }),
  output: z.object({
    runs: z.array(
      z.object({
        run: z.string(),
        experiment: z.string().describe('Name of the experiment.'),
        state: z.string(),
        created: z.string(),
        metric: z.string().optional(),
        validation: z.number().nullable().optional(),
        test: z.number().nullable().optional().describe('null where the run did not read the test split.'),
        ratio: z.number().optional().describe('How many times smaller the model became.'),
        set: z.array(z.string()).optional().describe('Settings that were given in place of those of the file.'),
      }),
    ),
    more,
    unreadable: z.array(z.string()).describe('Run folders that are damaged, with what is wrong.'),
  }),
  async run({ experiment, state, sweep, limit, offset }, { workspace }) {
    const { runs, unreadable } = await workspace.listRuns();
    const chosen = runs
      .toReversed()
      .filter(
        (run) =>
          (experiment === undefined || run.record.name === experiment) &&
          (sweep === undefined || run.record.sweep === sweep) &&
          (state === undefined || run.observedState() === state),
      );
    const { part, more: left } = page(chosen, { limit, offset });
    return {
      runs: part.map((run) => {
        const { name, created, overrides, result } = run.record;
        return {
          run: run.id,
          experiment: name,
          state: run.observedState(),
          created,
          ...(result && {
            metric: result.metric,
            ...(result.validation !== undefined && { validation: result.validation }),
            test: result.test,
            ratio: recordedRatio(result).ratio,
          }),
          ...(overrides.length > 0 && { set: overrides.slice(0, 20) }),
        };
      }),
      more: left,
      unreadable: unreadable.slice(0, 10).map(({ error }) => error.message),
    };
  },
});
