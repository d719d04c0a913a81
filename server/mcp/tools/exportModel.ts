/** @file Tool: the model of a run as a file that other programs open. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { exportFormatNames, exportFormats, exportOptions } from '../../protocol/model/exportFormats.ts';
import { exportedFileSchema } from '../../protocol/run/exportedFile.ts';
import { UserError } from '../../protocol/userError.ts';
import { option, runForAgent } from '../commands.ts';
import { runLoadsModules } from '../loadsModules.ts';
import { confirmInput, defineTool, more, page, pageOf, pathInput, runReference } from '../tool.ts';

const formats = exportFormatNames.map((name) => `${name}: ${exportFormats[name].description}`).join(' ');

export const exportModel = defineTool({
  name: 'export_model',
  title: 'Export a model',
  description: `Writes the final model of a run as a small file, opens that file again, evaluates it on the test split and says how large it is. Formats: ${formats} A file that is there is not replaced unless "overwrite" says so. Modules that the run names are executed, which the user confirms.`,
  effect: 'runs code',
  isDestructive: true,
  input: z.strictObject({
    run: runReference,
    format: z.enum(exportFormatNames as [(typeof exportFormatNames)[number]]).default(exportFormatNames[0]),
    out: pathInput
      .optional()
      .describe('Path of the file or folder; default: the id of the run, beside its experiment.'),
    overwrite: z.boolean().default(false),
    checkpoint: z.boolean().default(false).describe('The last checkpoint, also of a run that is not finished.'),
    dense: z.boolean().default(false).describe(exportOptions.dense.description),
    sparseInitializers: z.boolean().default(false).describe(exportOptions['sparse-initializers'].description),
    dtype: z.enum(exportOptions.dtype.values).optional().describe(exportOptions.dtype.description),
    round: z.boolean().default(false).describe(exportOptions.round.description),
    names: z.enum(exportOptions.names.values).optional().describe(exportOptions.names.description),
    tolerance: z
      .number()
      .min(0)
      .optional()
      .describe('Largest difference of an output that is allowed; default: 0.0001.'),
    ...pageOf(30),
    ...confirmInput,
  }),
  output: z.object({
    ...exportedFileSchema.omit({ time: true, weights: true }).shape,
    ratio: z.number().describe('How many times smaller than all weights as floats.'),
    weights: z.array(z.object({ name: z.string(), form: z.string(), bytes: z.int() })),
    more,
    warnings: z.array(z.string()),
  }),
  async run(input, call) {
    const { format, out, overwrite, checkpoint, dense, sparseInitializers, dtype, round, names, tolerance } = input;
    const { workspace } = call;
    const run = await workspace.findRun(input.run);
    const path = workspace.resolve(out ?? join(dirname(run.record.experiment), run.id + exportFormats[format].ending));
    if (existsSync(path) && !overwrite)
      throw new UserError(`${workspace.shown(path)} already exists.`, {
        remedy: 'Give another "out"; or "overwrite": true, once the user wants it to be replaced.',
      });
    if (await runLoadsModules(run))
      call.confirm(`Exports the run ${run.id} to ${workspace.shown(path)}, and executes the modules that it names.`);
    const flags = { checkpoint, dense, 'sparse-initializers': sparseInitializers, round };
    const args = [
      ...['export', run.path, '--format', format, '--out', path],
      ...Object.entries(flags).flatMap(([name, isOn]) => (isOn ? [`--${name}`] : [])),
      ...option('dtype', dtype),
      ...option('names', names),
      ...option('tolerance', tolerance),
    ];
    const printed = await runForAgent(call, args, dirname(run.record.experiment));
    const { weights, time: _, ...file } = exportedFileSchema.parse(printed);
    const { warnings } = z.object({ warnings: z.array(z.string()).default([]) }).parse(printed);
    const { part, more: left } = page(weights, input);
    return { ...file, path: workspace.shown(file.path), ratio: file.denseBytes / file.bytes, weights: [...part], more: left, warnings: warnings.slice(0, 20) }; // prettier-ignore
  },
});
