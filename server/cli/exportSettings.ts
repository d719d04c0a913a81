/** @file The options of `deeptwist export` that a format may take, from the table of formats. */
import {
  exportFormatNames,
  exportFormats,
  exportOptions,
  type ExportFormatName,
  type ExportOptionFacts,
} from '../protocol/model/exportFormats.ts';
import { choiceOf } from './choiceOf.ts';
import type { CommandArguments, CommandOption } from './command.ts';
import type { ExportSettings } from './exporter.ts';
import { wrongUsage } from './wrongUsage.ts';

const optionFacts: Readonly<Record<string, ExportOptionFacts>> = exportOptions;

/** As the command has them, with the one that all formats take. */
export const exportOptionsOfFormats: Readonly<Record<string, CommandOption>> = {
  ...Object.fromEntries(
    Object.entries(optionFacts).map(([name, { description, values }]): [string, CommandOption] => [
      name,
      values ? { type: 'string', value: values.join('|'), description } : { type: 'boolean', description },
    ]),
  ),
  tolerance: {
    type: 'string',
    value: 'T',
    description: 'Largest difference of an output that is allowed, as a part of the largest or of 1; default: 0.0001.',
  },
};

/** @throws UserError for an option that the format does not take, or not with this value */
export function exportSettings(
  format: ExportFormatName,
  options: CommandArguments['options'],
): ExportSettings & { tolerance: number | undefined } {
  const takes = (name: ExportFormatName, option: string) => exportFormats[name].options.some((one) => one === option);
  for (const option of Object.keys(optionFacts)) {
    if (!Object.hasOwn(options, option) || takes(format, option)) continue;
    const takers = exportFormatNames.filter((name) => takes(name, option));
    throw wrongUsage(
      'export',
      `the format ${format} takes no --${option}`,
      `Leave it out, or choose the format ${takers.join(' or ')}.`,
    );
  }
  return {
    dense: options.dense,
    sparseInitializers: options['sparse-initializers'],
    dtype: choiceOf('export', 'dtype', exportOptions.dtype.values, options.dtype),
    round: options.round,
    names: choiceOf('export', 'names', exportOptions.names.values, options.names),
    tolerance: toleranceOf(options.tolerance),
  };
}

/** @throws UserError for what is no number of at least 0 */
function toleranceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const tolerance = Number(text);
  if (tolerance >= 0 && text.trim() !== '') return tolerance;
  throw wrongUsage('export', `--tolerance is a number of at least 0, got '${text}'`, 'Give for example 0.01.');
}
