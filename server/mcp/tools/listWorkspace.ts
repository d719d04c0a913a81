/** @file Tool: the models, data and experiments that a workspace has. */
import * as z from 'zod';
import type { FoundData, FoundModel } from '../../protocol/wire/proposals.ts';
import { findFiles } from '../../proposals/findFiles.ts';
import { findProposals } from '../../proposals/findProposals.ts';
import { defineTool, more, page, pageOf, type Call } from '../tool.ts';

export const listWorkspace = defineTool({
  name: 'list_workspace',
  title: 'List models, data and experiments',
  description:
    'The models, data sets and experiment files of the workspace, and the built-in models, as write_experiment takes them. Files are looked at; nothing of the workspace is executed.',
  effect: 'reads',
  input: z.strictObject(pageOf(30, 200)),
  output: z.object({
    folders: z.array(z.string()).describe('Paths start in the first of them.'),
    experiments: z.array(z.string()),
    models: z.array(
      z.object({
        model: z.string().describe('Path, or builtin:NAME.'),
        export: z.string().optional().describe('The export that is the model, where a module has several.'),
        layers: z.array(z.string()).optional().describe('At most 20; absent where describe_model has to tell.'),
      }),
    ),
    data: z.array(
      z.object({
        path: z.string(),
        type: z.string(),
        samples: z.int().optional().describe('To train on, about.'),
        sample: z.array(z.int()).optional().describe('Sizes of a sample.'),
        classes: z.int().optional(),
      }),
    ),
    more: more.describe('How many of the longest of the three lists follow.'),
  }),
  async run(range, { workspace }) {
    const { files, proposals } = await lookAround(workspace);
    const lists = {
      experiments: page(files.experiments, range),
      models: page(proposals.models, range),
      data: page(proposals.data, range),
    };
    return {
      folders: [...workspace.folders],
      experiments: lists.experiments.part.map((path) => workspace.shown(path)),
      models: lists.models.part.map((model) => modelOf(model, workspace)),
      data: lists.data.part.map((data) => dataOf(data, workspace)),
      more: Math.max(lists.experiments.more, lists.models.more, lists.data.more),
    };
  },
});

/** What a new experiment can be made of. */
export async function lookAround(workspace: Call['workspace']) {
  const files = await findFiles(workspace.folders, (folder) => workspace.has(folder));
  return { files, proposals: await findProposals(files) };
}

function modelOf({ reference, exportName, layers }: FoundModel, workspace: Call['workspace']) {
  return {
    model: reference.startsWith('builtin:') ? reference : workspace.shown(reference),
    ...(exportName !== undefined && { export: exportName }),
    ...(layers && { layers: layers.slice(0, 20).map(({ name }) => name) }),
  };
}

function dataOf({ path, type, samples, sample, classes }: FoundData, workspace: Call['workspace']) {
  return {
    path: workspace.shown(path),
    type,
    ...(samples !== undefined && { samples }),
    ...(sample && { sample: [...sample] }),
    ...(classes !== undefined && { classes }),
  };
}
