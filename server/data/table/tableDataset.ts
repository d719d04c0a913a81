/** @file Data sets of tables, CSV or Parquet. docs/data.md is their contract. */
import { resolve } from 'node:path';
import { TEST_FRACTION } from '../../protocol/experiment/schema/table.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { UserError } from '../../protocol/userError.ts';
import type { ColumnFacts, Dataset, OpenOptions, TableFacts } from '../dataset.ts';
import { divideClasses } from '../divide.ts';
import { inMemoryDataset, type ComputedColumn, type StoredColumn, type Table } from '../inMemoryDataset.ts';
import { checkColumn, shown, type TableColumn, type TableConfig } from './columnReader.ts';
import { columnFacts, MISSING, targetFacts } from './tableFacts.ts';
import { openTableFile, readColumns, type WantedColumn } from './readTable.ts';
import type { TableFile } from './tableFile.ts';
import { categoryNumbers, encoded, standardized, type EncodedColumn } from './tableRows.ts';

/** The columns of a file that are wanted, in memory. */
interface ReadTable {
  readonly file: TableFile;
  readonly rows: number;
  readonly inputs: readonly TableColumn[];
  readonly target: TableColumn;
}

type SplitName = 'train' | 'test' | 'validation';

/** Rows of a table that make a split, in their order. */
interface Part {
  readonly table: ReadTable;
  readonly rows: Uint32Array;
}

/** Classes that are numbers: of more, the target is more likely a number. */
const MOST_NUMBER_CLASSES = 100;
/** Values that a warning names. */
const NAMED = 3;

/**
 * Reads the columns of a table into memory, a number each value, and makes rows of batches of them.
 * @throws SettingError or UserError when the table is missing or damaged, or does not fit the settings
 */
export async function openTable(
  config: TableConfig,
  baseDirectory: string,
  { signal }: OpenOptions = {},
): Promise<Dataset> {
  const { path, files } = config;
  const pathOf = (name: string) => resolve(baseDirectory, name);
  const train = await readFirst(pathOf(files?.train ?? path!), config, signal);
  const parts = divided(train, config);
  for (const name of ['test', 'validation'] as const) {
    const own = files?.[name];
    if (own === undefined) continue;
    const table = await readLike(train, pathOf(own), config, signal);
    parts[name] = { table, rows: Uint32Array.from({ length: table.rows }, (_, row) => row) };
  }
  const facts: TableFacts = {
    ...(config.inputs && { inputs: config.inputs }),
    columns: train.inputs.map((column) => columnFacts(column, parts.train.rows, config)),
    target: targetFacts(train.target, parts.train.rows, config),
  };
  checkClasses(facts, parts.train);
  const tables = { train: tableOf('train', parts.train, facts), test: tableOf('test', parts.test!, facts) };
  const validation = parts.validation && tableOf('validation', parts.validation, facts);
  const dataset = inMemoryDataset({ ...tables, ...(validation && { validation }) }, describe(facts));
  return {
    ...dataset,
    ...(facts.target.kind === 'classes' && { classes: facts.target.classes }),
    table: facts,
    warnings: facts.columns.flatMap((column, index) => [
      ...missingWarnings(column, parts, index),
      ...unknownWarnings(column, parts, index),
    ]),
  };
}

/** Opens the file that is trained on, and reads what the experiment wants of it. */
async function readFirst(path: string, config: TableConfig, signal: AbortSignal | undefined): Promise<ReadTable> {
  const file = await openTableFile(path, config);
  const { names } = file;
  const { target, columns, inputs: groups, kinds, task } = config;
  checkColumn(target, names, path, ['data', 'target']);
  columns?.forEach((name, index) => checkColumn(name, names, path, ['data', 'columns', index]));
  for (const [group, own] of Object.entries(groups ?? {}))
    own.forEach((name, index) => checkColumn(name, names, path, ['data', 'inputs', group, index]));
  for (const name of Object.keys(kinds)) checkColumn(name, names, path, ['data', 'kinds', name]);
  const chosen = columns ?? (groups && [...new Set(Object.values(groups).flat())]);
  const inputs = (chosen ?? names).filter((name) => name !== target && kinds[name] !== 'ignored');
  if (inputs.length === 0)
    throw new SettingError(['data', 'path'], `${path} has no column but the target and those that are ignored`, {
      remedy: 'A model needs at least one input.',
    });
  const wanted = inputs.map((name) => {
    const kind = kinds[name];
    return wantedInput(name, kind === 'ignored' ? undefined : kind, config);
  });
  const kind = task === 'classification' ? 'category' : 'number';
  return readWanted(file, wanted, wantedTarget(target, kind), config, signal);
}

const wantedInput = (name: string, kind: TableColumn['kind'] | undefined, { missing }: TableConfig): WantedColumn => ({
  name,
  kind,
  setting: ['data', 'kinds', name],
  mayLack: { number: missing.numbers !== 'error', category: missing.categories !== 'error' },
});

const wantedTarget = (name: string, kind: TableColumn['kind']): WantedColumn => ({
  name,
  kind,
  setting: ['data', 'target'],
  mayLack: { number: false, category: false },
});

/** Reads a file of another split: its columns are what those of the training split are. */
async function readLike(
  { inputs, target }: ReadTable,
  path: string,
  config: TableConfig,
  signal: AbortSignal | undefined,
): Promise<ReadTable> {
  const file = await openTableFile(path, config);
  for (const { name } of [...inputs, target]) checkColumn(name, file.names, path, ['data', 'files']);
  const wanted = inputs.map(({ name, kind }) => wantedInput(name, kind, config));
  return readWanted(file, wanted, wantedTarget(target.name, target.kind), config, signal);
}

async function readWanted(
  file: TableFile,
  inputs: readonly WantedColumn[],
  target: WantedColumn,
  config: TableConfig,
  signal: AbortSignal | undefined,
): Promise<ReadTable> {
  const { rows, columns } = await readColumns(file, [...inputs, target], config, signal);
  return { file, rows, inputs: columns.slice(0, -1), target: columns[inputs.length] };
}

/** The rows of the first file, by splits: of each class the same fraction. */
function divided(
  table: ReadTable,
  { path, split, seed }: TableConfig,
): { train: Part } & Partial<Record<SplitName, Part>> {
  const fractions = { validation: split.validation, test: path === undefined ? 0 : (split.test ?? TEST_FRACTION) };
  const rows = divideClasses(rowsByClass(table), fractions, seed, (samples, trained) => {
    if (trained === 0)
      throw new SettingError(['data', 'split'], `of ${samples} rows of a class, none is left to train on`, {
        remedy: 'Keep smaller fractions, or add rows.',
      });
  });
  const partOf = (name: SplitName) => ({ table, rows: rows[name] });
  for (const name of ['test', 'validation'] as const)
    if (fractions[name] > 0 && rows[name].length === 0)
      throw new SettingError(['data', 'split', name], `a fraction of ${fractions[name]} leaves it without a row`, {
        remedy: 'Keep a larger fraction, or add rows.',
      });
  return {
    train: partOf('train'),
    ...(fractions.test > 0 && { test: partOf('test') }),
    ...(fractions.validation > 0 && { validation: partOf('validation') }),
  };
}

/** The rows of each class, in the order of the classes' first rows; all rows where the target is a number. */
function rowsByClass({ rows, target }: ReadTable): ArrayLike<number>[] {
  if (target.kind === 'number') return [Uint32Array.from({ length: rows }, (_, row) => row)];
  const byClass = target.texts.map((): number[] => []);
  target.codes.forEach((code, row) => byClass[code].push(row));
  return byClass;
}

function checkClasses({ target }: TableFacts, { table }: Part): void {
  if (target.kind !== 'classes') return;
  const { classes, name } = target;
  const { path } = table.file;
  if (classes.length === 1)
    throw new SettingError(['data', 'target'], `column '${name}' of ${path} has one value, '${shown(classes[0])}'`, {
      remedy: 'Name a column of at least two classes.',
    });
  if (classes.length > MOST_NUMBER_CLASSES && classes.every((text) => Number.isFinite(Number(text))))
    throw new SettingError(['data', 'target'], `column '${name}' of ${path} has ${classes.length} different numbers`, {
      remedy: 'Set data.task to "regression", or name a column of classes.',
    });
}

function tableOf(split: SplitName, { table, rows }: Part, facts: TableFacts): Table {
  const columns = table.inputs.map((column, index) => encoded(column, facts.columns[index]));
  const namedBy = (names: readonly string[]) =>
    names.map((name) => columns[facts.columns.findIndex((column) => column.name === name)]);
  return {
    samples: rows.length,
    inputs: facts.inputs
      ? Object.entries(facts.inputs).map(([name, names]) => ({ name, ...inputOf(namedBy(names), rows) }))
      : [inputOf(columns, rows)],
    targets: [targetOf(split, { table, rows }, facts)],
  };
}

/** Columns side by side. */
function inputOf(columns: readonly EncodedColumn[], rows: Uint32Array): ComputedColumn {
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  return {
    shape: [width],
    dtype: 'float32',
    copyRow(sample, to, at) {
      to.fill(0, at, at + width);
      let place = at;
      for (const column of columns) {
        column.write(rows[sample], to, place);
        place += column.width;
      }
    },
  };
}

/** @throws UserError for a class that training lacks */
function targetOf(split: SplitName, { table: { target, file }, rows }: Part, facts: TableFacts): StoredColumn {
  if (target.kind === 'number' && facts.target.kind === 'number') {
    const values = standardized(target, facts.target);
    return { shape: [1], dtype: 'float32', data: Float32Array.from(rows, (row) => values[row]) };
  }
  if (target.kind !== 'category' || facts.target.kind !== 'classes')
    throw new TypeError(`The target is a ${target.kind}, and known as ${facts.target.kind}.`);
  const { classes } = facts.target;
  const labels = categoryNumbers(target, classes);
  const unknown = rows.find((row) => labels[row] === classes.length);
  if (unknown !== undefined) {
    const code = target.codes[unknown];
    throw new UserError(
      `${file.path}, ${file.unit} ${target.places[code]}: column '${target.name}' has the class '${shown(target.texts[code])}', which ` +
        `no row has that is trained on; the classes are ${classes.slice(0, 5).map(shown).join(', ')}${classes.length > 5 ? ', …' : ''}.`,
      { remedy: `Correct it, or take such rows out of the ${split} split, or add some to those that are trained on.` },
    );
  }
  return { shape: [], dtype: 'int32', data: Int32Array.from(rows, (row) => labels[row]) };
}

function describe({ columns, target }: TableFacts): string {
  const numbers = columns.filter(({ kind }) => kind === 'number').length;
  const categories = columns.length - numbers;
  const parts = [
    ...(numbers > 0 ? [`${numbers} column${numbers === 1 ? '' : 's'} of numbers`] : []),
    ...(categories > 0 ? [`${categories} of categories`] : []),
  ];
  const told = target.kind === 'classes' ? `${target.classes.length} classes` : `the number '${target.name}'`;
  return `Table of ${parts.join(' and ')}, for ${told}`;
}

type Parts = Readonly<Partial<Record<SplitName, Part>>>;

/** A warning with how many values of a column are missing, and how they are filled. */
function missingWarnings(facts: ColumnFacts, parts: Parts, index: number): string[] {
  let missing = 0;
  let all = 0;
  for (const { table, rows } of Object.values(parts)) {
    const column = table.inputs[index];
    all += rows.length;
    for (const row of rows)
      if (column.kind === 'number' ? Number.isNaN(column.values[row]) : column.codes[row] < 0) missing++;
  }
  if (missing === 0) return [];
  const become =
    facts.kind === 'number'
      ? `become ${Number(facts.missing?.toPrecision(6))}`
      : facts.categories.includes(MISSING)
        ? 'become a category of their own'
        : 'are none of the categories';
  return [`data: column '${facts.name}' lacks ${missing} of ${all} values; they ${become} (data.missing).`];
}

/** Categories of other splits that training lacks. */
function unknownWarnings(facts: ColumnFacts, parts: Parts, index: number): string[] {
  if (facts.kind === 'number') return [];
  return (['test', 'validation'] as const).flatMap((split) => {
    const part = parts[split];
    const column = part?.table.inputs[index];
    if (part === undefined || column?.kind !== 'category') return [];
    const known = new Set(facts.categories);
    const unknown = new Set<string>();
    for (const row of part.rows) {
      const text = column.codes[row] < 0 ? undefined : column.texts[column.codes[row]];
      if (text !== undefined && !known.has(text)) unknown.add(text);
    }
    if (unknown.size === 0) return [];
    const named = [...unknown].slice(0, NAMED).map((text) => `'${shown(text)}'`);
    const others = unknown.size > NAMED ? ` and ${unknown.size - NAMED} more` : '';
    const become = facts.encoding === 'one-hot' ? 'all its inputs are 0' : `its input is ${facts.categories.length}`;
    return [
      `data: column '${facts.name}' has ${named.join(', ')}${others} in the ${split} split alone: there ${become}.`,
    ];
  });
}
