/** @file A new search, before any run: its file is checked, and its folder is made. */
import { JsonText } from '../protocol/experiment/jsonText.ts';
import { openSettings } from '../protocol/experiment/openSettings.ts';
import { checkExperiment, withOverrides } from '../protocol/experiment/parseExperiment.ts';
import { experimentError } from '../protocol/experiment/problem.ts';
import type { ExperimentSettings, TargetConfig } from '../protocol/experiment/schema.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { readForNewRuns } from '../runs/loadExperiment.ts';
import { createSweep, type Sweep } from '../sweeps/sweepFolder.ts';
import { writeRecord } from './searchFolder.ts';

/**
 * Makes the folder of a new search. Nothing is trained.
 * @throws UserError for a file without a target, with everything that is wrong in the file
 */
export async function newSearch(
  file: string,
  { overrides, budget, now }: { overrides: readonly string[]; budget: number; now: Date },
): Promise<Sweep> {
  const { text, name } = await readForNewRuns(file);
  checkSearched(text, name, overrides);
  const sweep = await createSweep({ experiment: file, text, overrides: [], combinations: [], now });
  await writeRecord(sweep, { format: 1, overrides: [...overrides], budget });
  return sweep;
}

interface SearchedFile {
  /** With the weakest values in the place of those that are open. */
  readonly settings: ExperimentSettings;
  readonly target: TargetConfig;
  readonly document: unknown;
}

/** @throws UserError with everything that is wrong in the file, or where there is nothing to find */
export function checkSearched(text: string, name: string, overrides: readonly string[]): SearchedFile {
  const { experiment, problems } = checkExperiment(text, overrides);
  if (!experiment) throw experimentError(name, problems);
  const { target } = experiment;
  if (!target)
    throw new UserError(`${name} has no "target".`, {
      remedy:
        'Say in the file what is wanted: "target": { "maxDrop": 0.005 }, and leave rates, bits or ranks out of "compression".',
      exitCode: ExitCode.usage,
    });
  const { document } = withOverrides(new JsonText(text), overrides);
  if (openSettings(document).length === 0)
    throw new UserError(`${name}: all layers of "compression" have their values, so that there is nothing to find.`, {
      remedy: 'Leave out the rates, bits or ranks that are to be found.',
      exitCode: ExitCode.usage,
    });
  return { settings: experiment, target, document };
}
