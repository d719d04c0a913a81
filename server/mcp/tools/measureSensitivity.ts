/** @file Tool: what compressing each layer alone costs a trained model. */
import { statSync } from 'node:fs';
import * as z from 'zod';
import { oneStepMethods } from '../../protocol/experiment/methods/index.ts';
import { splitNames } from '../../protocol/run/sensitivityReport.ts';
import { option, runForAgent } from '../commands.ts';
import { experimentLoadsModules, runLoadsModules } from '../loadsModules.ts';
import { confirmInput, defineTool, more, page, pageOf, pathInput, type Call } from '../tool.ts';

const number = z.number().nullable();

const cell = z.object({
  weight: z.string(),
  method: z.string(),
  parameter: z.string(),
  setting: z.number(),
  value: number.describe('The metric, all other weights as they are; null where it is not finite.'),
  drop: number.describe("By how much it is worse, in the metric's unit."),
  bytes: z.number(),
});

/** What `deeptwist sensitivity --json` prints, as far as it is passed on. */
const report = z.object({
  metric: z.string(),
  value: z.number().describe('The metric of the model as it is.'),
  split: z.string(),
  samples: z.int(),
  bytes: z.number().describe('Bytes of all weights as floats.'),
  cells: z.array(cell).describe('By weight, then by method, from the weakest setting to the strongest.'),
  suggestion: z
    .object({
      maxDrop: z.number(),
      drop: z.number().describe('Measured drop of all suggested settings together.'),
      value: z.number(),
      bytes: z.number().describe('Bytes of the model with the suggested settings.'),
      compression: z
        .unknown()
        .optional()
        .describe('"compression" for the experiment; absent where no layer bears any.'),
    })
    .optional(),
  warnings: z.array(z.string()),
});

export const measureSensitivity = defineTool({
  name: 'measure_sensitivity',
  title: 'Measure the sensitivity of layers',
  description:
    'What compressing each layer alone, at several settings, costs a trained model: that of a finished run, or the one that an experiment starts from. With "maxDrop", it suggests settings for all layers together and measures them. Seconds to minutes; results are kept, so that a cancelled call goes on where it was. Modules that it names are executed, which the user confirms.',
  effect: 'runs code',
  input: z.strictObject({
    of: pathInput.describe('A finished run (id, path, experiment name, "last"), or the path of an experiment file.'),
    layers: z
      .array(z.string().max(1000))
      .max(1000)
      .optional()
      .describe('Layers or weights, names or patterns; default: all.'),
    methods: z
      .array(z.enum(oneStepMethods as [string, ...string[]]))
      .optional()
      .describe('Default: all of these.'),
    values: z.array(z.number()).max(50).optional().describe('With one method: rates, bits or ranks to measure.'),
    samples: z.int().min(1).optional().describe('Samples to evaluate on; default: all of the split.'),
    split: z.enum(splitNames).default('validation'),
    maxDrop: z
      .number()
      .min(0)
      .optional()
      .describe('Suggest settings with which the metric is at most this much worse: 0.005.'),
    ...pageOf(60),
    ...confirmInput,
  }),
  output: z.object({ ...report.shape, more }),
  async run({ of, layers = [], methods, values, samples, split, maxDrop, limit, offset }, call) {
    const { workspace } = call;
    const { subject, isCode } = await subjectOf(of, call);
    if (isCode)
      call.confirm(`Measures the sensitivity of ${workspace.shown(subject)}, and executes the modules that it names.`);
    const [directory] = workspace.folders;
    const args = [
      ...['sensitivity', subject, '--split', split],
      ...layers.flatMap((layer) => option('layers', layer)),
      ...option('methods', methods?.join(',')),
      ...option('values', values?.join(',')),
      ...option('samples', samples),
      ...option('max-drop', maxDrop),
    ];
    const measured = report.parse(await runForAgent(call, args, directory));
    const { part, more: left } = page(measured.cells, { limit, offset });
    return { ...measured, cells: part, more: left };
  },
});

/** The experiment file or the run folder, and whether it names modules. */
async function subjectOf(reference: string, { workspace }: Call): Promise<{ subject: string; isCode: boolean }> {
  const path = /\.jsonc?$/.test(reference) ? workspace.resolve(reference) : undefined;
  if (path !== undefined && statSync(path, { throwIfNoEntry: false })?.isFile())
    return { subject: path, isCode: await experimentLoadsModules(path) };
  const run = await workspace.findRun(reference);
  return { subject: run.path, isCode: await runLoadsModules(run) };
}
