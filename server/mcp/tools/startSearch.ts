/** @file Tool: finding the rates, bits or ranks that reach the target of an experiment, in the background. */
import * as z from 'zod';
import { searchBudget } from '../../protocol/experiment/searchBudget.ts';
import { formatCount } from '../../protocol/formatQuantity.ts';
import { UserError } from '../../protocol/userError.ts';
import { checkSearched, newSearch } from '../../search/newSearch.ts';
import { readExperiment } from '../../runs/loadExperiment.ts';
import { isSearch } from '../../sweeps/searchState.ts';
import { workOn } from '../backgroundWork.ts';
import { confirmInput, defineTool, overridesInput, pathInput } from '../tool.ts';
import { parallelInput } from './startRun.ts';
import { expectedTime, isFile } from './startSweep.ts';

export const startSearch = defineTool({
  name: 'start_search',
  title: 'Find settings',
  description:
    'Finds the rates, bits or ranks with which a model is as small as possible at the accuracy that "target" of an experiment file allows ({ "maxDrop": 0.005 }), or as good as possible at a size ({ "bytes": "24 kB" } or { "ratio": 40 }), in the background; layers of "compression" without a value are those that are searched. Or goes on with a search that was stopped. Answers at once with its id: follow_sweep tells its runs and what it found, "stop" stops it. The user confirms it.',
  effect: 'runs code',
  input: z.strictObject({
    of: pathInput.describe('Path of the experiment file, or id of a search to go on with.'),
    set: overridesInput,
    budget: z
      .number()
      .min(searchBudget.least)
      .max(searchBudget.most)
      .default(searchBudget.usual)
      .describe('Runs of the full length that all training together may take, of a new search.'),
    parallel: parallelInput,
    ...confirmInput,
  }),
  output: z.object({
    sweep: z.string().describe('Its id, for follow_sweep and stop.'),
    folder: z.string(),
  }),
  async run({ of, set, budget, parallel }, call) {
    const { workspace } = call;
    const existing = isFile(of, call) ? undefined : await workspace.findSweep(of);
    if (existing) {
      if (!isSearch(existing))
        throw new UserError(`${existing.id} is a sweep whose runs are all planned.`, {
          remedy: 'Go on with it by start_sweep, or give the path of an experiment file with a "target".',
        });
      if (set.length > 0)
        throw new UserError(`${existing.id} is a search that is there already.`, {
          remedy: 'Leave "set" out, or give the path of an experiment file for a new one.',
        });
      call.confirm(`Goes on with the search ${existing.id}, in the background.`);
      await workOn('search', existing, parallel, [], call);
      return { sweep: existing.id, folder: workspace.shown(existing.path) };
    }
    const file = workspace.resolve(of);
    const { text, name } = await readExperiment(file);
    checkSearched(text, name, set);
    call.confirm(
      `Trains up to ${formatCount(budget)} full runs of ${workspace.shown(file)}, as short ones and whole ones, on this machine, in the background, ${formatCount(parallel)} at a time. ${await expectedTime(file, budget / parallel)}`,
    );
    const search = await newSearch(file, { overrides: set, budget, now: new Date() });
    await workOn('search', search, parallel, [], call);
    return { sweep: search.id, folder: workspace.shown(search.path) };
  },
});
