/** @file What a sweep says of a search by Optuna: the space, the number of runs, and where the study is. */
import * as z from 'zod';
import { overrideWith } from '../../protocol/experiment/overrides.ts';
import type { SweepConfig } from '../../protocol/experiment/schema.ts';
import { formatSettingPath, parseSettingPath } from '../../protocol/experiment/settingPath.ts';
import { axesOf, isRange } from '../../protocol/experiment/sweptRuns.ts';
import { UserError } from '../../protocol/userError.ts';

const axisSchema = z.union([
  z.object({ name: z.string(), choices: z.array(z.string()).describe('Values as JSON.') }),
  z.object({ name: z.string(), from: z.number(), to: z.number(), log: z.boolean(), integer: z.boolean() }),
]);
type Axis = z.output<typeof axisSchema>;

export const optunaSchema = z.object({
  engine: z.literal('optuna'),
  runs: z.int().positive().describe('Runs in all: the plan grows to so many lines.'),
  seed: z.int().min(0).describe('Seed of the sampler.'),
  space: z.array(axisSchema),
  storage: z
    .string()
    .optional()
    .describe(
      'URL of an RDB or Redis storage, from the folder of the experiment file; absent: optuna.log in the folder of the sweep.',
    ),
  study: z.string().optional().describe('Name of the study; absent: the id of the sweep.'),
  python: z
    .string()
    .describe('Interpreter that has optuna: a command, or a path from the folder of the experiment file.'),
});
export type OptunaSearch = z.output<typeof optunaSchema>;

/** The space of `"type": "random"`, whose number of runs and seed are those of the search. */
export function searchSpace(sweep: SweepConfig): Pick<OptunaSearch, 'runs' | 'seed' | 'space'> {
  if (sweep.type !== 'random')
    throw new UserError('--search is for a sweep of "type": "random": its bounds and values are what is searched in.', {
      remedy: 'Write "sweep": { "type": "random", "runs": 20, "vary": { … } }, or leave out --search.',
      exitCode: 2,
    });
  if (sweep.halving)
    throw new UserError(
      'sweep.halving and --search cannot be together: a trial that ends early tells Optuna another value.',
      {
        remedy: 'Leave one of them out: --set sweep.halving=null',
        exitCode: 2,
      },
    );
  const space = axesOf(sweep).map(({ path, values }): Axis => {
    const name = formatSettingPath(path);
    if (!isRange(values)) return { name, choices: values.map((value) => JSON.stringify(value)) };
    const { from, to, scale, integer } = values;
    return { name, from, to, log: scale === 'logarithmic', integer };
  });
  return { runs: sweep.runs, seed: sweep.seed, space };
}

/** The `path=value` texts of what Optuna has suggested. */
export function combinationOf({ space }: OptunaSearch, parameters: Readonly<Record<string, unknown>>): string[] {
  return space.flatMap((axis) => {
    const path = parseSettingPath(axis.name);
    const suggested = parameters[axis.name];
    if (!path || suggested === undefined) return [];
    return [overrideWith(path, 'choices' in axis ? (JSON.parse(String(suggested)) as unknown) : suggested).text];
  });
}
