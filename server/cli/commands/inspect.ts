/** @file `deeptwist inspect`. */
import { resolve } from 'node:path';
import type { ModelFile, StoredTensor } from '../../inspect/tensor.ts';
import { didYouMean } from '../../protocol/experiment/didYouMean.ts';
import { formatBytes, formatCount, formatNumber, formatPercent } from '../../protocol/formatQuantity.ts';
import { rankForEnergy } from '../../protocol/model/spectrumEnergy.ts';
import {
  isDescendingFirst,
  sortTensors,
  statisticsSortKeys,
  tensorSortKeys,
  zeroShare,
  type TensorHistogram,
  type TensorSortKey,
  type TensorStatistics,
} from '../../protocol/model/tensor.ts';
import { printableJson, shortLine } from '../../protocol/printable.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import type { Command, CommandContext } from '../command.ts';
import { failureLines } from '../report.ts';
import { styled, type Terminal } from '../terminal.ts';
import { sparkline, textTable } from '../textTable.ts';
import { wrongUsage } from '../wrongUsage.ts';

const sortKeys: readonly TensorSortKey[] = [...tensorSortKeys, ...statisticsSortKeys];
/** Parts of the energy of a matrix whose ranks are told. */
const ENERGIES = [0.9, 0.99];
const HISTOGRAM_COLUMNS = 50; // Two bins each.
/** Characters of what a file says of itself, in the table. */
const LONGEST_TEXT = 200;

interface Inspected {
  readonly tensor: StoredTensor;
  readonly statistics?: TensorStatistics;
  readonly histogram?: TensorHistogram;
  readonly singularValues?: Float64Array;
  /** Why something of it could not be read or computed. */
  readonly problem?: UserError;
}

export const inspectCommand: Command = {
  name: 'inspect',
  positionals: { usage: 'FILE|FOLDER', minimum: 1, maximum: 1 },
  summary:
    'List the tensors of a model file (safetensors, PyTorch, ONNX, npz, npy, model.json) or folder and what their numbers come to.',
  options: {
    tensor: { type: 'string', value: 'NAME', description: 'This tensor alone, with its histogram.' },
    sort: { type: 'string', value: 'KEY', description: `Sort by one of: ${sortKeys.join(', ')}.` },
    spectrum: { type: 'boolean', description: 'Compute the singular values of each matrix.' },
    json: { type: 'boolean', description: 'Print all of it on standard output as one JSON object.' },
  },
  async run({ positionals: [path], options }, context) {
    const { directory, stdout, stderr } = context;
    const key = sortKeyOf(options.sort);
    const { openModelFile } = await import('../../inspect/modelFile.ts');
    const file = await openModelFile(resolve(directory, path));
    try {
      const tensors = options.tensor === undefined ? file.tensors : [tensorOf(file, options.tensor)];
      const inspected: Inspected[] = [];
      for (const tensor of tensors)
        inspected.push(await inspect(tensor, { ...options, withHistogram: options.tensor !== undefined }, context));
      const sorted = key === undefined ? inspected : sortTensors(inspected, key, isDescendingFirst(key));
      if (options.json) stdout.write(printableJson(jsonOf(file, sorted)) + '\n');
      else
        stdout.write(
          textOf(file, sorted, stdout)
            .map((line) => `${line}\n`)
            .join(''),
        );
      const problems = sorted.flatMap(({ problem }) => problem ?? []);
      stderr.write(
        problems
          .flatMap((problem) => failureLines(problem, stderr))
          .map((line) => `${line}\n`)
          .join(''),
      );
      return problems.length > 0 ? ExitCode.failed : ExitCode.done;
    } finally {
      await file.close();
    }
  },
};

function sortKeyOf(text: string | undefined): TensorSortKey | undefined {
  const key = sortKeys.find((candidate) => candidate === text);
  if (text === undefined || key !== undefined) return key;
  throw wrongUsage('inspect', `tensors are not sorted by '${text}'`, `Choose one of: ${sortKeys.join(', ')}.`);
}

function tensorOf({ path, tensors }: ModelFile, name: string): StoredTensor {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found) return found;
  const meant = didYouMean(
    name,
    tensors.map((tensor) => tensor.name),
  );
  throw new UserError(`${path} has no tensor '${name}'${meant === undefined ? '' : `; did you mean '${meant}'?`}`, {
    remedy: 'Without --tensor, all of them are listed.',
    exitCode: ExitCode.usage,
  });
}

/** Reads a tensor; what cannot be read or computed of it is told, and the others are read all the same. */
async function inspect(
  tensor: StoredTensor,
  { spectrum, withHistogram }: { spectrum?: boolean; withHistogram: boolean },
  { stderr }: CommandContext,
): Promise<Inspected> {
  // An element type that is not known is no fault of the file.
  if (tensor.problem !== undefined && !withHistogram) return { tensor };
  const { histogramOf, statisticsOf } = await import('../../inspect/statistics.ts');
  if (stderr.interactive) stderr.write(`Reading ${shortLine(tensor.name, 60)}…`);
  const known: { -readonly [Key in keyof Inspected]: Inspected[Key] } = { tensor };
  try {
    known.statistics = await statisticsOf(tensor);
    if (withHistogram) known.histogram = await histogramOf(tensor, known.statistics);
    if (spectrum && (tensor.view || withHistogram)) {
      const { spectrumOf } = await import('../../inspect/spectrum.ts');
      known.singularValues = await spectrumOf(tensor);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    known.problem = error;
  } finally {
    if (stderr.interactive) stderr.clearLine();
  }
  return known;
}

function jsonOf({ path, format, bytes, metadata }: ModelFile, inspected: readonly Inspected[]): object {
  return {
    file: path,
    format,
    bytes,
    metadata: Object.fromEntries(metadata),
    tensors: inspected.map(({ tensor, statistics, histogram, singularValues, problem }) => {
      const { name, shape, dtype, form, elements, bytes: stored } = tensor;
      const told = tensor.problem ?? problem?.message;
      return {
        ...{ name, shape, dtype, form, elements, bytes: stored },
        ...statistics,
        ...(histogram && { histogram: { ...histogram, counts: [...histogram.counts] } }),
        ...(singularValues && { singularValues: [...singularValues] }),
        ...(told !== undefined && { problem: told }),
      };
    }),
  };
}

interface Column {
  readonly title: string;
  readonly left?: true;
  cell(tensor: Inspected): string;
}

const known = (value: number | undefined, format: (value: number) => string = formatNumber) =>
  value === undefined ? '' : format(value);

const columns: readonly Column[] = [
  { title: 'tensor', left: true, cell: ({ tensor }) => tensor.name },
  { title: 'shape', left: true, cell: ({ tensor }) => `[${tensor.shape.join(', ')}]` },
  { title: 'type', left: true, cell: ({ tensor }) => tensor.dtype },
  { title: 'form', left: true, cell: ({ tensor }) => tensor.form ?? '' },
  { title: 'elements', cell: ({ tensor }) => formatCount(tensor.elements) },
  { title: 'bytes', cell: ({ tensor }) => formatBytes(tensor.bytes) },
  {
    title: 'zeros',
    cell: ({ tensor, statistics }) => known(statistics && zeroShare(tensor, statistics), formatPercent),
  },
  { title: 'not finite', cell: ({ statistics }) => known(statistics?.notFinite, formatCount) },
  { title: 'minimum', cell: ({ statistics }) => known(statistics?.minimum) },
  { title: 'maximum', cell: ({ statistics }) => known(statistics?.maximum) },
  { title: 'mean', cell: ({ statistics }) => known(statistics?.mean) },
  { title: 'deviation', cell: ({ statistics }) => known(statistics?.deviation) },
  { title: 'largest singular value', cell: ({ singularValues }) => known(singularValues?.[0]) },
  ...ENERGIES.map((energy) => ({
    title: `rank for ${formatPercent(energy)}`,
    cell: ({ singularValues }: Inspected) =>
      known(singularValues && rankForEnergy(singularValues, energy), formatCount),
  })),
];
/** Columns that are left out where no tensor has something to say in them. */
const OPTIONAL = new Set([
  'form',
  'not finite',
  'largest singular value',
  ...columns.slice(-ENERGIES.length).map(({ title }) => title),
]);

function textOf(
  { format, bytes, tensors, metadata }: ModelFile,
  inspected: readonly Inspected[],
  terminal: Terminal,
): string[] {
  const shown = columns.filter(
    ({ title, cell }) => !OPTIONAL.has(title) || inspected.some((tensor) => !['', '0'].includes(cell(tensor))),
  );
  const [header, ...rows] = textTable(
    {
      header: shown.map(({ title }) => title),
      rows: inspected.map((tensor) => shown.map(({ cell }) => cell(tensor))),
      right: new Set(shown.flatMap(({ left }, i) => (left ? [] : [i]))),
    },
    terminal.columns,
  );
  const elements = tensors.reduce((sum, tensor) => sum + tensor.elements, 0);
  const unread = inspected.filter(({ tensor }) => tensor.problem !== undefined);
  return [
    styled(terminal, 'dim', header),
    ...rows,
    ...inspected.flatMap(({ histogram }) => (histogram ? [histogramLine(histogram)] : [])),
    ...unread.map(({ tensor }) => `${styled(terminal, 'yellow', 'not read:')} ${tensor.problem}`),
    `${format}, ${formatBytes(bytes)}: ${formatCount(elements)} numbers in ${formatCount(tensors.length)} tensors`,
    ...metadata.map(([key, value]) => styled(terminal, 'dim', shortLine(`${key}: ${value}`, LONGEST_TEXT))),
  ];
}

function histogramLine({ minimum, maximum, counts }: TensorHistogram): string {
  return `${formatNumber(minimum)} ${sparkline([...counts], HISTOGRAM_COLUMNS)} ${formatNumber(maximum)}`;
}
