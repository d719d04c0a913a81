/** @file Tool: how good a run's model, or an exported file, is. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { mainFiles } from '../../protocol/model/exportFormats.ts';
import { RUN_FILE } from '../../runs/run.ts';
import { option, runForAgent } from '../commands.ts';
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
    'Evaluates the final model of a run as it is stored, or an exported file, on the test split. Modules of the experiment are executed: the user confirms it.',
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
    const subject = exportedPath(of, call) ?? (await workspace.findRun(of)).path;
    const data = experiment === undefined ? undefined : workspace.resolve(experiment);
    call.confirm(`Evaluates ${workspace.shown(subject)}, which executes the modules of its experiment.`);
    const [directory] = workspace.folders;
    return evaluation.parse(await runForAgent(call, ['evaluate', subject, ...option('experiment', data)], directory));
  },
});

/** A file, or a folder that is no run; undefined for the id of a run. */
function exportedPath(reference: string, { workspace }: Call): string | undefined {
  const path = workspace.resolve(reference);
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status || (status.isDirectory() && existsSync(join(path, RUN_FILE)))) return undefined;
  // A folder may have the name of an experiment.
  const isExport = status.isFile() || Object.values(mainFiles).some((name) => existsSync(join(path, name)));
  return isExport ? path : undefined;
}
