/** @file Images whose classes are told by CSV files: a row has the file of an image and its class. */
import { statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { readUserFile } from '../../modules/readUserFile.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { UserError } from '../../protocol/userError.ts';
import { csvRows, type CsvRow } from '../../formats/csv/csvRows.ts';
import { noColumn } from '../table/columnReader.ts';
import { sortedLabels } from '../table/sortedLabels.ts';
import type { ImagesConfig } from './chooseImages.ts';
import { FILES_OF_TURN, statusOf, type ImageFile, type ImageFolder } from './imageFolder.ts';

/** What may be left out at the end of a file's name. */
const ENDS = ['', '.jpg', '.jpeg', '.png', '.JPG', '.JPEG', '.PNG'];
/** Names of the column of classes, where there are more than two columns. */
const CLASS_NAMES = ['label', 'class', 'target', 'category'];
/** Rows that tell which column has the files. */
const ROWS_SEEN = 20;
const REMEDY = 'Write a CSV file with a first line of names, such as file,label, and a row for each image.';

type Labels = NonNullable<ImagesConfig['labels']>;

interface Columns {
  readonly file: number;
  readonly label: number;
}

/** A split's rows. */
interface LabelFile {
  /** Absolute. */
  readonly path: string;
  readonly names: readonly string[];
  readonly rows: readonly CsvRow[];
  readonly columns: Columns;
}

/**
 * @param folder of the images, absolute
 * @throws SettingError or UserError that names the file, the line and the value that cannot be used
 */
export async function readImageLabels(
  folder: string,
  labels: Labels,
  named: ImagesConfig['labelColumns'],
  baseDirectory: string,
): Promise<ImageFolder> {
  const read = async (path: string) => readLabels(folder, resolve(baseDirectory, path), named);
  const files = typeof labels === 'string' ? { train: labels } : labels;
  const train = await read(files.train);
  const classes = sortedLabels(new Set(train.rows.map(({ values }) => values[train.columns.label])));
  if (classes.length === 1)
    throw new SettingError(
      ['data', 'labels'],
      `${train.path} has a single class, ${classes[0]}: a model tells classes apart`,
      {
        remedy: REMEDY,
      },
    );
  const splitOf = async (path: string) => imagesOf(folder, await read(path), classes);
  const splits: ImageFolder['splits'] = { train: await imagesOf(folder, train, classes) };
  if ('test' in files) splits.test = await splitOf(files.test);
  if ('validation' in files && files.validation !== undefined) splits.validation = await splitOf(files.validation);
  return { classes, splits };
}

async function readLabels(folder: string, path: string, named: ImagesConfig['labelColumns']): Promise<LabelFile> {
  const { names, rows } = await readUserFile(path, csvRows, REMEDY);
  if (rows.length === 0) throw new UserError(`${path} has no rows.`, { remedy: REMEDY });
  return { path, names, rows, columns: columnsOf(folder, path, names, rows, named) };
}

/** The columns that are named, else those that are seen: files are those that are there. */
function columnsOf(
  folder: string,
  path: string,
  names: readonly string[],
  rows: readonly CsvRow[],
  named: ImagesConfig['labelColumns'],
): Columns {
  const indexOf = (role: keyof Columns): number | undefined => {
    const name = named?.[role];
    if (name === undefined) return undefined;
    const index = names.indexOf(name);
    if (index < 0) throw new SettingError(['data', 'labelColumns', role], noColumn(name, names, path));
    return index;
  };
  const file = indexOf('file') ?? fileColumn(folder, names, rows);
  if (file === undefined)
    throw new SettingError(['data', 'labels'], `${path}, line ${rows[0].line}: no value is a file in ${folder}`, {
      remedy:
        'Files are named as seen from data.path, with or without .jpg or .png. Else name their column in data.labelColumns.',
    });
  const others = [...names.keys()].filter((index) => index !== file);
  const label =
    indexOf('label') ??
    (others.length === 1 ? others[0] : others.find((index) => CLASS_NAMES.includes(names[index].toLowerCase())));
  if (label === undefined || label === file)
    throw new SettingError(
      ['data', 'labels'],
      `${path} has the columns ${names.slice(0, 8).join(', ')}, and none is seen to have the classes`,
      {
        remedy: 'Name it: "labelColumns": { "label": "NAME" }.',
      },
    );
  return { file, label };
}

/** The column whose first values name most images, those with an ending before numbers that happen to be such names. */
function fileColumn(folder: string, names: readonly string[], rows: readonly CsvRow[]): number | undefined {
  const scores = names.map((_, index) => {
    const values = [...new Set(rows.slice(0, ROWS_SEEN).map((row) => row.values[index]))];
    const found = values.filter((value) => value !== '' && fileOf(folder, value) !== undefined);
    return found.length + found.filter((value) => /\.\w+$/.test(value)).length;
  });
  const best = Math.max(...scores);
  return best === 0 ? undefined : scores.indexOf(best);
}

async function imagesOf(
  folder: string,
  { path, names, rows, columns }: LabelFile,
  classes: readonly string[],
): Promise<ImageFile[]> {
  const labels = new Map(classes.map((name, label) => [name, label]));
  const lines = new Map<string, number>();
  const images: ImageFile[] = [];
  for (const [index, { line, values }] of rows.entries()) {
    if (index % FILES_OF_TURN === 0) await turnOfEventLoop();
    const problem = (message: string, remedy: string) =>
      new UserError(`${path}, line ${line}: ${message}.`, { remedy });
    const name = values[columns.label];
    if (name === '')
      throw problem(`column '${names[columns.label]}' has no value`, 'Write the class, or leave the row out.');
    const label = labels.get(name);
    if (label === undefined)
      throw problem(
        `'${name}' is a class that no image has that is trained on`,
        'Correct it, or add images of that class.',
      );
    const file = fileOf(folder, values[columns.file]);
    if (file === undefined)
      throw problem(`there is no image '${values[columns.file]}' in ${folder}`, 'Correct it, or leave the row out.');
    const before = lines.get(file);
    if (before !== undefined) throw problem(`${file} is in line ${before}, too`, 'Leave one of them out.');
    lines.set(file, line);
    images.push({ path: file, label, ...statusOf(join(folder, file)) });
  }
  return images;
}

/** The file of that name in the folder, as seen from it, with slashes; undefined where there is none. */
function fileOf(folder: string, name: string): string | undefined {
  const path = relative(folder, resolve(folder, name)).split(sep).join('/');
  if (path === '' || path.startsWith('../') || path.includes('\0') || resolve(path) === path) return undefined;
  return ENDS.map((end) => path + end).find(
    (candidate) => statSync(join(folder, candidate), { throwIfNoEntry: false })?.isFile() === true,
  );
}
