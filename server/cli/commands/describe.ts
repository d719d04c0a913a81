/** @file `deeptwist describe`. */
import { relative, resolve } from 'node:path';
import { elementCount } from '../../protocol/shape.ts';
import { viewOfWeight, storedShape } from '../../compression/targets/matrixView.ts';
import { isMatrix } from '../../compression/targets/targets.ts';
import { formatNumber } from '../../protocol/formatQuantity.ts';
import type { DescribedWeight, ModelDescription } from '../../protocol/model/modelDescription.ts';
import { printableJson } from '../../protocol/printable.ts';
import { ExitCode } from '../../protocol/userError.ts';
import type { Command } from '../command.ts';
import { styled } from '../terminal.ts';
import { textTable } from '../textTable.ts';

export const describeCommand: Command = {
  name: 'describe',
  positionals: { usage: 'FILE', minimum: 1, maximum: 1 },
  summary: 'List the layers and weights of the model of an experiment file, and keep the list for the editor.',
  options: { json: { type: 'boolean', description: 'Print the description on standard output as one JSON object.' } },
  async run({ positionals: [file], options }, { loadTrainer, directory, stdout, stderr }) {
    const { describeExperiment } = await loadTrainer();
    const { description, path, notKept, withoutData } = await describeExperiment(resolve(directory, file));
    const warn = (message: string) => stderr.write(`${styled(stderr, 'yellow', 'warning:')} ${message}\n`);
    if (withoutData) warn(`described without its data: ${withoutData.message}`);
    if (notKept) warn(`not kept for the editor: ${notKept.message} ${notKept.remedy ?? ''}`.trimEnd());
    if (options.json) stdout.write(printableJson(description) + '\n');
    else {
      const [header, ...rows] = table(description, stdout.columns);
      const total = `${sum(description.weights)} weights in all${path === undefined ? '' : `; kept in ${relative(directory, path)}`}`;
      stdout.write([styled(stdout, 'dim', header), ...rows, total].map((line) => `${line}\n`).join(''));
    }
    return ExitCode.done;
  },
};

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
