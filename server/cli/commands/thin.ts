/** @file `deeptwist thin`. */
import { basename, dirname, resolve } from 'node:path';
import { formatCount, formatRatio } from '../../protocol/formatQuantity.ts';
import { exportFormatNames } from '../../protocol/model/exportFormats.ts';
import { choiceOf } from '../choiceOf.ts';
import { changedFilesOption } from '../command.ts';
import type { Command, CommandArguments, CommandContext } from '../command.ts';
import type { ExportReport, ThinSettings } from '../exporter.ts';
import { isExported } from '../exportedPath.ts';
import { defaultPath, fileLines, formatOf, reportExport } from '../exportReport.ts';
import { findFinishedRun } from '../finishedRun.ts';
import { progressOf, progressOption } from '../progressLines.ts';
import { styled } from '../terminal.ts';
import { textTable } from '../textTable.ts';
import { wrongUsage } from '../wrongUsage.ts';

/** What energy is the sum of, by the word of the option. */
const ENERGIES = ['values', 'squares'] as const;

type Options = CommandArguments['options'];

export const thinCommand: Command = {
  name: 'thin',
  positionals: { usage: 'RUN|FILE', minimum: 1, maximum: 1 },
  summary:
    'Write a model without its units that do nothing, and with layers of low rank as two: a smaller model, evaluated as a file.',
  options: {
    energy: {
      type: 'string',
      value: 'E',
      description: 'Part of the singular values of each layer to keep, up to 1; default: no layer becomes two.',
    },
    'energy-of': {
      type: 'string',
      value: ENERGIES.join('|'),
      description:
        'With --energy: what it is a part of, the sum of the singular values or of their squares; default: values.',
    },
    layers: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      description: 'With --energy: the layers that may become two, by name or pattern; default: all.',
    },
    format: {
      type: 'string',
      value: 'FORMAT',
      description: `Format: ${exportFormatNames.join(', ')}; default: tfjs, a model that another experiment can train on.`,
    },
    out: {
      type: 'string',
      value: 'PATH',
      description: 'Path of the folder or file; default: the name of the model, here.',
    },
    experiment: {
      type: 'string',
      value: 'FILE',
      description: 'For a file: the experiment whose data it is evaluated on; default: that of its run.',
    },
    'with-changed-files': changedFilesOption,
    json: { type: 'boolean', description: 'Print the report on standard output as one JSON object.' },
    progress: progressOption,
  },
  async run({ positionals: [reference], options }, context) {
    const { directory } = context;
    const format = formatOf('thin', options.format ?? 'tfjs');
    const thin = thinSettings(options);
    const progress = progressOf('thin', options.progress);
    const changedFiles = options['with-changed-files'];
    const pathFor = (name: string) => resolve(directory, options.out ?? defaultPath(`${name}-thin`, format));
    const file = resolve(directory, reference);
    if (isExported(file)) {
      const { thinFile } = await context.loadExporter();
      const experiment = options.experiment === undefined ? undefined : resolve(directory, options.experiment);
      return reportExport(context, {
        progress,
        json: options.json,
        work: (how) =>
          thinFile({
            file,
            data: { directory, experiment, changedFiles },
            ...{ format, thin, path: pathFor(nameOfFile(file)), ...how },
          }),
        lines: (report) => reportLines(report, context, thin, 'of the file before'),
      });
    }
    if (options.experiment !== undefined)
      throw wrongUsage(
        'thin',
        `there is no file ${file}, which --experiment is for`,
        'Leave it out for a run: it has its experiment.',
      );
    const run = await findFinishedRun(reference, directory);
    const { exportRun } = await context.loadExporter();
    return reportExport(context, {
      progress,
      json: options.json,
      work: (how) => exportRun({ run, changedFiles, ...{ format, thin, path: pathFor(run.id), ...how } }),
      lines: (report) => reportLines(report, context, thin, 'when the run ended'),
    });
  },
};

/** Name of a file or folder without what its format adds: that of its folder for a model.json. */
function nameOfFile(path: string): string {
  const name = basename(path) === 'model.json' ? basename(dirname(path)) : basename(path);
  return name.replace(/\.[a-z]+$/i, '').replace(/-(tfjs|huggingface|dense)$/, '');
}

/** @throws UserError for values that the options do not have */
function thinSettings({ energy: text, 'energy-of': measure, layers }: Options): ThinSettings {
  const of = choiceOf('thin', 'energy-of', ENERGIES, measure) ?? 'values';
  if (text === undefined) {
    const given = layers ? '--layers' : measure === undefined ? undefined : '--energy-of';
    if (given) throw wrongUsage('thin', `${given} is for --energy`, 'Add --energy 0.9, or leave it out.');
    return {};
  }
  const energy = Number(text);
  if (!(energy > 0 && energy <= 1))
    throw wrongUsage('thin', `--energy is a number above 0 and at most 1, got '${text}'`, 'Give for example 0.9.');
  return { factors: { energy, of, layers } };
}

function reportLines(report: ExportReport, context: CommandContext, thin: ThinSettings, before: string): string[] {
  const model = thin.factors ? 'those of the smaller model' : 'those of the model before';
  return [...thinningLines(report, context), ...fileLines(report, context, { before, model })];
}

function thinningLines({ thinning }: ExportReport, { stdout }: CommandContext): string[] {
  if (!thinning) return [];
  const { layers, parameters, multiplyAdds } = thinning;
  const both = ({ before, after }: { before: number; after: number }) =>
    before === after ? formatCount(after) : `${formatCount(before)} → ${formatCount(after)}`;
  const [header, ...rows] = textTable(
    {
      header: ['layer', 'units', 'rank', 'weights', 'multiply-adds'],
      rows: [
        ...layers.map(({ layer, units, rank, ...costs }) => [
          layer,
          units ? both(units) : '',
          rank === undefined ? '' : formatCount(rank),
          both(costs.parameters),
          both(costs.multiplyAdds),
        ]),
        ['all', '', '', both(parameters), both(multiplyAdds)],
      ],
      right: new Set([1, 2, 3, 4]),
    },
    stdout.columns,
  );
  return [
    styled(stdout, 'dim', header),
    ...rows,
    ...layers.flatMap(({ layer, kept }) =>
      kept.map(({ units, reason }) => `kept    ${formatCount(units)} of ${layer}: ${reason}`),
    ),
    `thinned ${formatRatio(parameters.before / parameters.after)} fewer weights, ${formatRatio(multiplyAdds.before / Math.max(1, multiplyAdds.after))} fewer multiply-adds`,
  ];
}
