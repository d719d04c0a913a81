/** @file `deeptwist describe`. */
import { relative, resolve } from 'node:path';
import { elementCount, shapeText } from '../../protocol/shape.ts';
import { viewOfWeight, storedShape } from '../../compression/targets/matrixView.ts';
import { isMatrix } from '../../compression/targets/targets.ts';
import { isModelPath } from '../../models/modelFile.ts';
import { formatNumber } from '../../protocol/formatQuantity.ts';
import type { DescribedWeight, ModelDescription } from '../../protocol/model/modelDescription.ts';
import { printableJson } from '../../protocol/printable.ts';
import { ExitCode } from '../../protocol/userError.ts';
import type { Command } from '../command.ts';
import { progressOf, progressOption } from '../progressLines.ts';
import { styled, writeLines } from '../terminal.ts';
import { textTable } from '../textTable.ts';
import type { Trainer } from '../trainer.ts';

export const describeCommand: Command = {
  name: 'describe',
  positionals: { usage: 'FILE', minimum: 1, maximum: 1 },
  summary:
    'List the layers and weights of a model: of an experiment file, kept for the editor, or of a file that is a model itself.',
  options: {
    json: { type: 'boolean', description: 'Print the description on standard output as one JSON object.' },
    progress: progressOption,
  },
  async run({ positionals: [file], options }, { loadTrainer, directory, stdout, stderr }) {
    progressOf('describe', options.progress);
    const trainer = await loadTrainer();
    const given = resolve(directory, file);
    const { description, path, notKept, withoutData } = isModelPath(given)
      ? await ofModel(trainer, given)
      : await trainer.describeExperiment(given);
    const warn = (message: string) => stderr.write(`${styled(stderr, 'yellow', 'warning:')} ${message}\n`);
    if (withoutData) warn(`described without its data: ${withoutData.message}`);
    if (notKept) warn(`not kept for the editor: ${notKept.message} ${notKept.remedy ?? ''}`.trimEnd());
    for (const warning of description.warnings ?? []) warn(warning);
    if (options.json) stdout.write(printableJson(description) + '\n');
    else {
      const [header, ...rows] = table(description, stdout.columns);
      const total = `${sum(description.weights)} weights in all${path === undefined ? '' : `; kept in ${relative(directory, path)}`}`;
      const ends = [...endLines('input', description.inputs), ...endLines('output', description.outputs)];
      writeLines(stdout, [styled(stdout, 'dim', header), ...rows, ...ends, total]);
    }
    return ExitCode.done;
  },
};

type Described = Awaited<ReturnType<Trainer['describeExperiment']>>;

async function ofModel(trainer: Trainer, path: string): Promise<Described> {
  return { description: await trainer.describeModelFile(path) };
}

/** `input   input [any, 1, 28, 28] float32` */
function endLines(
  word: string,
  ends: readonly { name: string; shape: readonly (number | null)[]; dtype?: string; activation?: string }[] = [],
): string[] {
  return ends.map(({ name, shape, dtype, activation }) => {
    const kind = dtype ?? (activation === 'other' ? undefined : activation);
    return [word.padEnd(7), name, shapeText(shape), ...(kind === undefined ? [] : [kind])].join(' ');
  });
}

function table({ weights }: ModelDescription, columns: number): string[] {
  return textTable(
    {
      header: ['weight', 'layer', 'shape', 'weights', 'break-even rank'],
      rows: weights.map((weight) => [
        weight.name,
        weight.layerClass ?? '',
        `[${weight.shape.join(', ')}]`,
        sum([weight]),
        breakEven(weight),
      ]),
      right: new Set([3, 4]),
    },
    columns,
  );
}

/** The rank from which the factors are as large as the matrix: `mn / (m + n)`. */
function breakEven(weight: DescribedWeight): string {
  if (!isMatrix(weight)) return '';
  const { rows, columns } = storedShape(viewOfWeight(weight));
  return formatNumber((rows * columns) / (rows + columns));
}

function sum(weights: readonly DescribedWeight[]): string {
  return weights.reduce((total, { shape }) => total + elementCount(shape), 0).toLocaleString('en');
}
