/** @file Tool: a new experiment file, from a proposal as New Experiment makes it or from a text, checked before it is written. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { newMethods } from '../../protocol/experiment/methods/newMethods.ts';
import type { Method } from '../../protocol/experiment/schema.ts';
import { modelDescriptionSchema } from '../../protocol/model/modelDescription.ts';
import { moduleOf } from '../../protocol/model/modelExports.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import type { ChosenModel, ChosenTeacher } from '../../protocol/wire/proposals.ts';
import { describedLayers } from '../../proposals/describedLayers.ts';
import { chosenExperimentText, layersOf } from '../../proposals/chosenExperiment.ts';
import { explainDiskError, writeAtomically } from '../../runs/disk.ts';
import { EXPERIMENT_ENDING } from '../../runs/run.ts';
import { runForAgent } from '../commands.ts';
import { defineTool, pathInput, type Call } from '../tool.ts';
import { MOST_TEXT, problemsOutput } from './checkExperiment.ts';
import { lookAround } from './listWorkspace.ts';

/** Problems of a text that was not written, and candidates in an error. */
const SHOWN = 30;

const proposal = z.strictObject({
  model: pathInput.describe('A model of list_workspace: path, or builtin:NAME.'),
  export: z.string().max(1000).optional().describe('The export of a module that is the model, where it has several.'),
  data: pathInput.describe('Path of a data set of list_workspace.'),
  method: z.enum(newMethods as [Method, ...Method[]]),
  layers: z
    .array(z.string().max(1000))
    .min(1)
    .max(5000)
    .optional()
    .describe('Names of layers to compress; default: all that can be.'),
  pixels: z
    .enum(['symmetric', 'imagenet', 'unit', 'training'])
    .optional()
    .describe(
      'For images: what pixels were when the model was trained: -1 to 1, by mean and deviation of ImageNet, 0 to 1; default: by their own mean and deviation.',
    ),
  teacher: pathInput.optional().describe('A model file, or a finished run, whose outputs the model is to learn.'),
  steps: z.int().min(1).optional().describe('Length of the training; default: that of a first experiment.'),
});

export const writeExperiment = defineTool({
  name: 'write_experiment',
  title: 'Write an experiment',
  description:
    'Writes an experiment file: of a "proposal" (model, data, method: the same first settings and comments as New Experiment of the editor), or of a "text". It is checked first and not written while something is wrong with it: the problems are in the answer. A file that is there is not replaced unless "overwrite" says so. With "preview", nothing is written. Modules are not executed.',
  effect: 'writes',
  isDestructive: true,
  input: z.strictObject({
    file: pathInput.describe(`Path of the file: NAME${EXPERIMENT_ENDING}.`),
    proposal: proposal.optional(),
    text: z.string().max(MOST_TEXT).optional().describe('The exact text, JSON with comments.'),
    overwrite: z.boolean().default(false),
    preview: z.boolean().default(false),
  }),
  output: z.object({
    file: z.string(),
    written: z.boolean(),
    text: z.string().optional().describe('Text of the proposal.'),
    problems: problemsOutput,
  }),
  async run({ file, proposal: chosen, text: given, overwrite, preview }, call) {
    const { workspace, checker } = call;
    const path = workspace.resolve(file);
    if (!path.endsWith(EXPERIMENT_ENDING))
      throw wrong(`${file} is no name of an experiment file.`, `End it with ${EXPERIMENT_ENDING}.`);
    if ((chosen === undefined) === (given === undefined))
      throw wrong('An experiment is made of a "proposal" or of a "text".', 'Give one of them.');
    if (existsSync(path) && !overwrite && !preview)
      throw wrong(
        `${workspace.shown(path)} already exists.`,
        'Give another name; or "overwrite": true, once the user wants it to be replaced.',
      );
    const text = chosen ? await proposedText(chosen, dirname(path), call) : given!;
    const problems = await checker.check(path, text, workspace.folders);
    const canBeWritten = !preview && !problems.some(({ severity }) => severity === 'error');
    if (canBeWritten) {
      await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
        throw explainDiskError(error, path, 0, { isFileOfItsOwn: true });
      });
      if (overwrite) await writeAtomically(path, text, { isFileOfItsOwn: true });
      else await writeFile(path, text, { flag: 'wx' });
    }
    return {
      file: workspace.shown(path),
      written: canBeWritten,
      ...(chosen && { text }),
      problems: problems.slice(0, SHOWN),
    };
  },
});

async function proposedText(
  { model: wanted, export: exportName, data: dataPath, method, layers: names, pixels, teacher, steps }: z.output<typeof proposal>, // prettier-ignore
  folder: string,
  call: Call,
): Promise<string> {
  const { workspace } = call;
  const { proposals } = await lookAround(workspace);
  const reference = wanted.startsWith('builtin:') ? wanted : workspace.resolve(wanted);
  const found = proposals.models.find((one) => one.reference === reference);
  if (!found)
    throw wrong(`There is no model ${wanted}.`, `Found: ${some(proposals.models.map((one) => one.reference), workspace)}.`); // prettier-ignore
  const path = workspace.resolve(dataPath);
  const data = proposals.data.find((one) => one.path === path);
  if (!data)
    throw wrong(`There is no data set ${dataPath}.`, `Found: ${some(proposals.data.map((one) => one.path), workspace)}.`); // prettier-ignore
  const model = { ...found, ...(exportName !== undefined && { exportName }) };
  const looked: ChosenModel = { model, described: await describedFile(reference, call) };
  if (looked.described && describedLayers(looked.described).length === 0)
    throw wrong(
      `${wanted} has no layer that can be compressed.`,
      'Name a model whose layers have matrices. A compressed file of a run has others: export_model with "dense" writes one with matrices.',
    );
  const all = layersOf(looked);
  const layers = names?.map((name) => {
    const layer = all.find((one) => one.name === name);
    if (layer) return layer;
    // The layers of a module may not stand in its text.
    if (!looked.described && !found.layers) return { name };
    throw wrong(`${wanted} has no layer '${name}' that can be compressed.`, `It has: ${some(all.map((one) => one.name))}.`); // prettier-ignore
  });
  return chosenExperimentText({
    folder,
    model: looked,
    data,
    method,
    layers: layers ?? all,
    ...(pixels !== undefined && { pixels }),
    ...(teacher !== undefined && { teacher: await teacherOf(teacher, call) }),
    ...(steps !== undefined && { steps }),
  });
}

/** What a model file consists of; undefined for a built-in model, and for a module, whose code is not executed for this. */
async function describedFile(reference: string, call: Call): Promise<ChosenModel['described']> {
  if (reference.startsWith('builtin:') || moduleOf(reference) !== undefined) return undefined;
  return modelDescriptionSchema.parse(await runForAgent(call, ['describe', reference], dirname(reference)));
}

async function teacherOf(reference: string, { workspace }: Call): Promise<ChosenTeacher> {
  const path = workspace.resolve(reference);
  if (existsSync(path) && /\.\w+$/.test(path)) return { file: path };
  const run = await workspace.findRun(reference);
  return { run: run.path, name: run.record.name, isNameUnique: false };
}

function some(names: readonly string[], workspace?: Call['workspace']): string {
  const shown = names.slice(0, SHOWN).map((name) => (workspace && !name.startsWith('builtin:') ? workspace.shown(name) : name)); // prettier-ignore
  const rest = names.length - shown.length;
  return `${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}` || 'none';
}

function wrong(message: string, remedy: string): UserError {
  return new UserError(message, { remedy, exitCode: ExitCode.usage });
}
