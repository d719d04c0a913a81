/** @file The images in the folders of a data set: found and named, not opened. */
import { readdirSync, statSync, type Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { isMissing, reasonOf } from '../../protocol/systemError.ts';
import { UserError } from '../../protocol/userError.ts';

export interface ImageFile {
  /** From the folder of the data set, with slashes. */
  readonly path: string;
  /** Index of its class. */
  readonly label: number;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

export interface ImageFolder {
  /** Names of the classes; a label is an index. In the order of their characters, as torchvision and Keras have them. */
  readonly classes: readonly string[];
  /** All images, by split. Where there are no folders of splits, all are in `train`. */
  readonly splits: { train: ImageFile[]; test?: ImageFile[]; validation?: ImageFile[] };
}

type Split = keyof ImageFolder['splits'];

/** Names of the folder of a split in small letters, the usual one first. A folder may have them in capitals. */
export const splitFolders: Readonly<Record<Split, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['validation', 'valid', 'val'],
  test: ['test', 'testing'],
};

const IMAGE = /\.(jpe?g|png)$/i;
/** Images that would be passed over in silence. */
const OTHER_IMAGE = /\.(avif|bmp|gif|heic|heif|jp2|jxl|tiff?|webp)$/i;

/** A larger file is none of a data set; a whole one is read at once. */
const MOST_FILE_BYTES = 2 ** 28;
/** Files that are looked at before others get their turn. */
export const FILES_OF_TURN = 256;

const SETTING = ['data', 'path'];
const REMEDY =
  'Put the images of each class into train/CLASS and test/CLASS. Where data.path has the folders of the classes itself, set ' +
  'data.split.test to the fraction that is kept for the test.';

/**
 * @param folder absolute
 * @param hasSplits false where its folders are those of the classes
 * @throws SettingError or UserError for what keeps it from being a data set of images
 */
export async function readImageFolder(folder: string, hasSplits: boolean): Promise<ImageFolder> {
  const names = await foldersIn(folder);
  const [train, test, validation] = (['train', 'test', 'validation'] as const).map((split) => folderOf(split, names));
  if (!hasSplits) {
    // A class may be called train: only beside another split is it none.
    const other = test ?? validation;
    if (train !== undefined && other !== undefined)
      throw new SettingError(
        ['data', 'split', 'test'],
        `${folder} has the folders ${train} and ${other}: the images are divided already`,
        { remedy: test === undefined ? withoutTest(folder, train, other) : 'Leave it out.' },
      );
    const classes = await classesIn(folder, '');
    return { classes, splits: { train: await filesOf(folder, '', classes, classes) } };
  }
  for (const [split, found] of Object.entries({ train, test }))
    if (found === undefined) {
      const remedy = train !== undefined && validation !== undefined ? withoutTest(folder, train, validation) : REMEDY;
      throw new SettingError(SETTING, `${folder} has no folder ${split}${named(', but', names)}`, { remedy });
    }
  const classes = await classesIn(folder, train!);
  const read = async (name: string) => filesOf(folder, name, classes, await classesIn(folder, name, classes));
  return {
    classes,
    splits: {
      train: await read(train!),
      test: await read(test!),
      ...(validation !== undefined && { validation: await read(validation) }),
    },
  };
}

function folderOf(split: Split, names: readonly string[]): string | undefined {
  for (const usual of splitFolders[split]) {
    // The names are sorted, capitals first: of Train and train, it is train.
    const found = names.findLast((name) => name.toLowerCase() === usual);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What to do about images of which none is for the test. */
function withoutTest(folder: string, train: string, validation: string): string {
  return (
    `Rename ${validation} to test and leave data.split.test out, or set data.path to ${join(folder, train)} and data.split.test ` +
    'to the fraction of those images that is kept for the test.'
  );
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder, { withFileTypes: true }))
      .filter((entry) => isFolder(folder, entry))
      .map(nameOf)
      .sort();
  } catch (error) {
    const isFile = (error as NodeJS.ErrnoException).code === 'ENOTDIR';
    const reason = isMissing(error) ? 'does not exist' : isFile ? 'is no folder' : `cannot be read: ${reasonOf(error)}`;
    throw new SettingError(SETTING, `${folder} ${reason}`, { remedy: REMEDY, cause: error });
  }
}

/** Hidden ones are of programs, not of the data: .ipynb_checkpoints, .DS_Store, ._0001.jpg. */
const isHidden = ({ name }: Dirent) => name.startsWith('.');
const nameOf = ({ name }: Dirent) => name;

function isFolder(parent: string, entry: Dirent): boolean {
  if (isHidden(entry)) return false;
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(join(parent, entry.name), { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * The classes of a split.
 * @param split its folder; '' where the folder of the data set has the classes
 * @param known those of the training split, for another one
 */
async function classesIn(folder: string, split: string, known?: readonly string[]): Promise<string[]> {
  const classes = await foldersIn(join(folder, split));
  const where = join(folder, split);
  if (classes.length === 0)
    throw new SettingError(SETTING, `${where} has no folders, of which each is a class`, { remedy: REMEDY });
  const unknown = known && classes.filter((name) => !known.includes(name));
  if (unknown !== undefined && unknown.length > 0)
    throw new SettingError(SETTING, `${where} has${named('', unknown)}, and the training images have no such class`, {
      remedy: 'Rename the folder, or add images of that class to those that are trained on.',
    });
  if (known === undefined && classes.length === 1)
    throw new SettingError(SETTING, `${where} has a single folder, ${classes[0]}: a model tells classes apart`, {
      remedy: REMEDY,
    });
  return classes;
}

/** The images of a split, class by class. */
async function filesOf(
  folder: string,
  split: string,
  classes: readonly string[],
  own: readonly string[],
): Promise<ImageFile[]> {
  const files: ImageFile[] = [];
  for (const name of own) {
    const found = await filesIn(folder, join(folder, split, name), classes.indexOf(name));
    if (found.length === 0)
      throw new SettingError(SETTING, `${join(folder, split, name)} has no JPEG or PNG file`, {
        remedy: 'Put the images of that class there, or remove the folder.',
      });
    // A loop, and no spread: a class may have more images than a call takes arguments.
    for (const file of found) files.push(file);
  }
  return files;
}

async function filesIn(folder: string, place: string, label: number): Promise<ImageFile[]> {
  const paths = imagesBelow(place).sort();
  const files: ImageFile[] = [];
  // Cut off and not computed: `relative` takes as long as to look at the file.
  const begin = join(folder, sep).length;
  for (const [i, path] of paths.entries()) {
    if (i % FILES_OF_TURN === 0) await turnOfEventLoop();
    const seen = path.slice(begin);
    files.push({ path: sep === '/' ? seen : seen.replaceAll(sep, '/'), label, ...statusOf(path) });
  }
  return files;
}

/**
 * The images of a class: absolute paths, of folders in its folder too. Links to folders are not followed there: they may lead in a circle.
 * @throws UserError for a folder that cannot be read, and for an image of a kind that is not read
 */
export function imagesBelow(place: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(place, { withFileTypes: true });
  } catch (error) {
    throw new UserError(`${place} cannot be read: ${reasonOf(error)}.`, { cause: error });
  }
  return entries.flatMap((entry) => {
    const path = `${place}${sep}${entry.name}`;
    if (isHidden(entry)) return [];
    if (entry.isDirectory()) return imagesBelow(path);
    if (OTHER_IMAGE.test(entry.name))
      throw new UserError(`${path} is an image of a kind that is not read.`, {
        remedy: 'Convert such images to PNG or JPEG, or move them to another folder.',
      });
    return IMAGE.test(entry.name) ? [path] : [];
  });
}

/** @throws UserError when it is no image that can be read */
export function statusOf(path: string): Pick<ImageFile, 'bytes' | 'modified'> {
  let reason: string;
  try {
    const status = statSync(path);
    if (status.isFile() && status.size <= MOST_FILE_BYTES) return { bytes: status.size, modified: status.mtimeMs };
    reason = status.isFile() ? `it has ${status.size} bytes, more than any image` : 'it is no regular file';
  } catch (error) {
    reason = reasonOf(error);
  }
  throw new UserError(`${path} cannot be read: ${reason}.`, { remedy: 'Remove it, or put an image in its place.' });
}

/** At most five names. */
function named(before: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const others = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return `${before} ${names.slice(0, 5).join(', ')}${others}`;
}
