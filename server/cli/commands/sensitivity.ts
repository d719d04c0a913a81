/** @file `deeptwist sensitivity`. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isModelPath } from '../../models/modelFile.ts';
import { didYouMean } from '../../protocol/experiment/didYouMean.ts';
import { isMethod, oneStepMethods } from '../../protocol/experiment/methods/index.ts';
import { settingTexts } from '../../protocol/experiment/methods/settingText.ts';
import type { Method } from '../../protocol/experiment/schema.ts';
import { formatBytes, formatCount, formatDrop, formatNumber, formatRatio } from '../../protocol/formatQuantity.ts';
import { findRun } from '../../runs/findRun.ts';
import { exampleDrop, splitNames, type SensitivityReport } from '../../protocol/run/sensitivityReport.ts';
import type { Analyzer } from '../analyzer.ts';
import { choiceOf } from '../choiceOf.ts';
import { compressionText } from '../compressionText.ts';
import { changedFilesOption, type Command, type CommandArguments, type CommandContext } from '../command.ts';
import { findFinishedRun } from '../finishedRun.ts';
import { progressOf, progressOption } from '../progressLines.ts';
import { reportWork } from '../reportedWork.ts';
import { styled, type Terminal } from '../terminal.ts';
import { textTable } from '../textTable.ts';
import { wrongUsage } from '../wrongUsage.ts';

type Options = CommandArguments['options'];

export const sensitivityCommand: Command = {
  name: 'sensitivity',
  positionals: { usage: 'RUN|FILE', minimum: 1, maximum: 1 },
  summary:
    'Measure what compressing each layer alone costs a trained model, that of a run or the one that an experiment starts from, and suggest settings.',
  options: {
    layers: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      description: 'The layers or weights to measure, by name or pattern; default: all.',
    },
    methods: {
      type: 'string',
      value: 'METHODS',
      description: `Methods, with commas between them: ${oneStepMethods.join(',')}; default: all of these.`,
    },
    values: {
      type: 'string',
      value: 'VALUES',
      description:
        'With one method: rates, bits or ranks, with commas between them; default: those that the editor proposes.',
    },
    samples: {
      type: 'string',
      value: 'N',
      description: 'Samples to evaluate on, spread over the split; default: all.',
    },
    split: {
      type: 'string',
      value: splitNames.join('|'),
      description:
        'What to evaluate on; default: validation. What is chosen on the test split is no longer tested by it.',
    },
    'max-drop': {
      type: 'string',
      value: 'D',
      description: 'Suggest settings with which the metric is at most this much worse, in its unit: 0.005.',
    },
    checkpoint: {
      type: 'boolean',
      description: 'For a run: the weights of its newest checkpoint in the place of the final ones.',
    },
    'with-changed-files': changedFilesOption,
    json: { type: 'boolean', description: 'Print the report on standard output as one JSON object.' },
    progress: progressOption,
  },
  async run({ positionals: [reference], options }, context) {
    const { layers, samples, split, values, 'max-drop': maxDrop, progress, json } = options;
    const chosenMethods = methodsOf(options.methods);
    const chosen = {
      layers,
      methods: chosenMethods,
      values: values === undefined ? undefined : valuesOf(values, chosenMethods),
      samples: samples === undefined ? undefined : samplesOf(samples),
      split: choiceOf('sensitivity', 'split', splitNames, split) ?? 'validation',
      maxDrop: maxDrop === undefined ? undefined : dropOf(maxDrop),
    };
    const format = progressOf('sensitivity', progress);
    const origin = await originOf(reference, options, context);
    const { measureSensitivity } = await context.loadAnalyzer();
    return reportWork(context, {
      progress: format,
      json,
      cancelled: 'Cancelled: what was measured is kept for another call.',
      work: (how) => measureSensitivity({ origin, ...chosen, ...how }),
      warnings: ({ warnings }) => warnings,
      lines: (report) => reportLines(report, context.stdout, chosen.maxDrop),
    });
  },
};

type Origin = Parameters<Analyzer['measureSensitivity']>[0]['origin'];

/** @throws UserError where there is no such run or experiment, or it has no weights */
async function originOf(reference: string, options: Options, { directory }: CommandContext): Promise<Origin> {
  const { checkpoint = false, 'with-changed-files': changedFiles } = options;
  const path = resolve(directory, reference);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    const run = checkpoint
      ? await findRun(reference, directory)
      : await findFinishedRun(reference, directory, 'Or measure its newest checkpoint: --checkpoint.');
    return { run, checkpoint, changedFiles };
  }
  if (checkpoint)
    throw wrongUsage(
      'sensitivity',
      `${reference} is a file, and --checkpoint is for runs`,
      'Leave it out, or name a run.',
    );
  if (isModelPath(path) && !/\.deeptwist\.jsonc?$/.test(path))
    throw wrongUsage(
      'sensitivity',
      `${reference} is a model, without the data to measure it on`,
      'Name an experiment whose "model" it is, with "data" of a validation split.',
    );
  return { experiment: path };
}

/** @throws UserError for a method that there is not, or that says nothing without training */
function methodsOf(text: string | undefined): readonly Method[] | undefined {
  return text?.split(',').map((part) => {
    const name = part.trim();
    if (isMethod(name) && oneStepMethods.includes(name)) return name;
    const meant = didYouMean(name, oneStepMethods);
    throw wrongUsage(
      'sensitivity',
      isMethod(name)
        ? `what "${name}" leaves of a weight shows only while it trains`
        : `there is no method '${name}'${meant === undefined ? '' : `; did you mean '${meant}'?`}`,
      `Choose among: ${oneStepMethods.join(', ')}.`,
    );
  });
}

/** @throws UserError for what is no list of numbers, and where they could be of several methods */
function valuesOf(text: string, chosen: readonly Method[] | undefined): number[] {
  if (chosen?.length !== 1)
    throw wrongUsage('sensitivity', '--values is for one method', `Name it, too: --methods ${oneStepMethods[0]}.`);
  return text.split(',').map((part) => {
    const value = numberOf(part);
    if (value !== undefined) return value;
    throw wrongUsage('sensitivity', `--values is a list of numbers, got '${text}'`, 'Give for example 0.5,0.9.');
  });
}

/** @throws UserError for what is no whole number from 1 on */
function samplesOf(text: string): number {
  const samples = numberOf(text);
  if (samples !== undefined && Number.isSafeInteger(samples) && samples >= 1) return samples;
  throw wrongUsage('sensitivity', `--samples is a whole number from 1 on, got '${text}'`, 'Give for example 1000.');
}

/** @throws UserError for what is no number of at least 0 */
function dropOf(text: string): number {
  const drop = numberOf(text);
  if (drop !== undefined && drop >= 0) return drop;
  throw wrongUsage('sensitivity', `--max-drop is a number of at least 0, got '${text}'`, 'Give for example 0.005.');
}

function numberOf(text: string): number | undefined {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) ? value : undefined;
}

function reportLines(report: SensitivityReport, terminal: Terminal, maxDrop: number | undefined): string[] {
  const { run, experiment, weightsAre, step, split, samples, metric, value, bytes, suggestion } = report;
  const model = {
    final: `the final model of ${run}`,
    checkpoint: `step ${formatCount(step ?? 0)} of ${run}`,
    start: `what ${experiment} starts from`,
  }[weightsAre];
  return [
    `${metric} ${formatNumber(value)} of ${model}, ${formatBytes(bytes)}, on ${formatCount(samples)} samples of the ${split} split`,
    '',
    ...cellLines(report, terminal, maxDrop),
    '',
    ...(suggestion
      ? suggestionLines(report, suggestion, terminal)
      : [`--max-drop ${exampleDrop(value)} suggests settings with which the metric is at most so much worse.`]),
  ];
}

/** A row for each setting of each weight, which is named once. */
function cellLines({ cells, weights, metric }: SensitivityReport, terminal: Terminal, maxDrop = -Infinity): string[] {
  const rows = weights.flatMap(({ name, key, bytes: dense }) =>
    cells
      .filter(({ weight }) => weight === name)
      .map(({ parameter, setting, value, drop, bytes }, i) => [
        i === 0 ? key : '',
        ...settingTexts({ [parameter]: setting }),
        value === null ? 'not finite' : formatNumber(value),
        dropText(drop),
        drop !== null && drop <= maxDrop ? 'within' : '',
        formatBytes(bytes),
        bytes < dense ? `${formatRatio(dense / bytes)} smaller` : 'no smaller',
      ]),
  );
  const [header, ...lines] = textTable(
    { header: ['layer', 'setting', metric, 'drop', '', 'bytes', ''], rows, right: new Set([2, 3, 5]) },
    terminal.columns,
  );
  return [styled(terminal, 'dim', header), ...lines];
}

/** `0.0012`; with its sign where the model gets better. */
function dropText(drop: number | null): string {
  return drop === null ? 'not finite' : formatDrop(drop);
}

function suggestionLines(
  { run, metric, bytes: dense, split }: SensitivityReport,
  suggestion: NonNullable<SensitivityReport['suggestion']>,
  terminal: Terminal,
): string[] {
  const { maxDrop, drops, drop, value, bytes, sumOfDrops, layers, compression } = suggestion;
  const within = `at most ${formatNumber(maxDrop)}`;
  if (!compression)
    return [
      `No setting of any layer costs ${within} of ${metric}: nothing is suggested. Training can win back what a single distortion costs.`,
    ];
  const eased = drops.length - 1;
  const first = drops[0] ?? null;
  return [
    styled(terminal, 'bold', `Suggested for ${within}:`),
    ...layers.map(
      (layer) =>
        `  ${layer.key}  ${settingTexts({ [layer.parameter]: layer.setting }).join()}, alone ${dropText(layer.drop)}`,
    ),
    ...(eased > 0
      ? [
          `The strongest setting of each layer costs ${dropText(first)} together; ${eased === 1 ? 'one was' : `settings were ${formatCount(eased)} times`} eased.`,
        ]
      : []),
    `Together they cost ${dropText(drop)} (${dropText(sumOfDrops)} if drops just added up): ${metric} ${formatNumber(value)} on the ${split} split, ` +
      `${formatBytes(dense)} would take ${formatBytes(bytes)}, ${formatRatio(dense / bytes)} smaller, before any training.`,
    '',
    `"compression": ${compressionText(compression)}`,
    ...(run === undefined
      ? []
      : ['', `It goes beside "start": "run:${run}", so that a run begins with these weights.`]),
  ];
}
