/** @file Tool: how good a run's model, or an exported file, is. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { mainFiles } from '../../protocol/model/exportFormats.ts';
import { RUN_FILE } from '../../runs/run.ts';
import { option, runForAgent } from '../commands.ts';
import { runLoadsModules } from '../loadsModules.ts';
import { confirmInput, defineTool, pathInput, type Call } from '../tool.ts';

const evaluation = z.object({
  split: z.string(),
  metric: z.string(),
  value: z.number().nullable(),
  loss: z.number().nullable(),
  samples: z.int().optional(),
  bytes: z.number().optional().describe('Size of the file.'),
  engine: z.string().optional().describe('What ran the file.'),
  runValue: z.number().nullable().optional().describe('The metric when the run ended.'),
});

export const evaluate = defineTool({
  name: 'evaluate',
  title: 'Evaluate a model',
  description:
    'Evaluates the final model of a run as it is stored, or an exported file, on the test split. Modules that the experiment names are executed, which the user confirms.',
  effect: 'runs code',
  input: z.strictObject({
    of: pathInput.describe('A run (id, path, experiment name, "last"), or the path of an exported file or folder.'),
    experiment: pathInput
      .optional()
      .describe('For an exported file: the experiment whose data it is evaluated on; default: that of its run.'),
    ...confirmInput,
  }),
  output: evaluation,
  async run({ of, experiment }, call) {
    const { workspace } = call;
    const { subject, isCode } = await subjectOf(of, call);
    const data = experiment === undefined ? undefined : workspace.resolve(experiment);
    if (isCode)
      call.confirm(`Evaluates ${workspace.shown(subject)}, and executes the modules that its experiment names.`);
    const args = ['evaluate', subject, ...option('experiment', data)];
    // The run of an exported file is looked for below the folder in which the command runs.
    return evaluation.parse(await runForAgent(call, args, workspace.folderOf(subject)));
  },
});

/** The exported file or the run folder, and whether its experiment may name modules. */
async function subjectOf(reference: string, call: Call): Promise<{ subject: string; isCode: boolean }> {
  const exported = exportedPath(reference, call);
  // The experiment that a file belongs to is found while it is evaluated.
  if (exported !== undefined) return { subject: exported, isCode: true };
  const run = await call.workspace.findRun(reference);
  return { subject: run.path, isCode: await runLoadsModules(run) };
}

/** A file, or a folder that is no run; undefined for the id of a run. */
function exportedPath(reference: string, { workspace }: Call): string | undefined {
  const path = workspace.resolve(reference);
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status || (status.isDirectory() && existsSync(join(path, RUN_FILE)))) return undefined;
  // A folder may have the name of an experiment.
  const isExport = status.isFile() || Object.values(mainFiles).some((name) => existsSync(join(path, name)));
  return isExport ? path : undefined;
}
