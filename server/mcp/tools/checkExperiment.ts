/** @file Tool: what is wrong with an experiment file. */
import * as z from 'zod';
import { readExperiment } from '../../runs/loadExperiment.ts';
import { defineTool, more, page, pageOf, pathInput } from '../tool.ts';

/** Characters of an experiment's text: a person writes none that is longer. */
export const MOST_TEXT = 1024 * 1024;

export const problemsOutput = z
  .array(
    z.object({
      line: z.int(),
      column: z.int(),
      endLine: z.int(),
      endColumn: z.int(),
      severity: z.enum(['error', 'warning', 'information']),
      code: z.string(),
      message: z.string(),
    }),
  )
  .describe('Lines and columns from 1, in the order of the file.');

export const checkExperiment = defineTool({
  name: 'check_experiment',
  title: 'Check an experiment',
  description:
    'What is wrong or doubtful in an experiment file, as the editor shows it: settings, combinations of them, paths, and, once describe_model has described the experiment, layers and their parameters. Nothing of the workspace is executed.',
  effect: 'reads',
  input: z.strictObject({
    file: pathInput.describe('Path of the experiment file; where "text" is given, the path that it is to have.'),
    text: z.string().max(MOST_TEXT).optional().describe('Text to check in place of what is in the file.'),
    ...pageOf(30),
  }),
  output: z.object({
    file: z.string(),
    canRun: z.boolean().describe('False while there is a problem that is an error.'),
    problems: problemsOutput,
    more,
  }),
  async run({ file, text, limit, offset }, { workspace, checker }) {
    const path = workspace.resolve(file);
    const problems = await checker.check(path, text ?? (await readExperiment(path)).text, workspace.folders);
    const { part, more: left } = page(problems, { limit, offset });
    return {
      file: workspace.shown(path),
      canRun: !problems.some(({ severity }) => severity === 'error'),
      problems: part,
      more: left,
    };
  },
});
