/** @file The files of a data set's arrays: each is opened once, however many of its arrays are wanted. */
import { constants } from 'node:buffer';
import { totalmem } from 'node:os';
import { resolve } from 'node:path';
import { FormatError } from '../../formats/formatError.ts';
import { npyRows, npzRows } from '../../formats/npy.ts';
import type { RowSource } from '../../formats/rowSource.ts';
import { safetensorRows } from '../../formats/safetensors.ts';
import { UserFile } from '../../modules/userFile.ts';
import { arrayReference } from '../../protocol/experiment/arrayReference.ts';
import { formatBytes } from '../../protocol/formatQuantity.ts';
import { UserError } from '../../protocol/userError.ts';

const REMEDY =
  'Write the array anew with numpy.save, numpy.savez or safetensors.numpy.save_file, or correct the path in the experiment file.';

/** What is done with the bytes of a file that names it in its errors. */
export interface NamedRows extends RowSource {
  /** As the experiment has it. */
  readonly reference: string;
  readonly setting: string;
  /** The result of work on the elements; its errors name the file. */
  decoded<T>(work: () => T): T;
}

export class ArrayFiles {
  readonly #baseDirectory: string;
  readonly #files = new Map<string, UserFile>();

  constructor(baseDirectory: string) {
    this.#baseDirectory = baseDirectory;
  }

  /**
   * @param reference as the experiment has it
   * @throws UserError that names the file and the setting when there is no such array, or it has no samples
   */
  async open(reference: string, setting: string): Promise<NamedRows> {
    const { file: name, name: member, hasNames } = arrayReference(reference);
    if (hasNames && member === undefined)
      throw new UserError(`${setting}: ${reference} has arrays by their names; say which one.`, {
        remedy: `Write "${reference}:NAME".`,
      });
    const file = await this.#file(resolve(this.#baseDirectory, name), setting);
    const source = file.decoded(() => rowsOf(file, name, member));
    const named = { reference, setting, decoded: <T>(work: () => T) => file.decoded(work) };
    return file.decoded(() => ({ ...checked(source), ...named }));
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  async #file(path: string, setting: string): Promise<UserFile> {
    const known = this.#files.get(path);
    if (known) return known;
    const file = await UserFile.open(path, `${REMEDY} The setting is ${setting}.`);
    this.#files.set(path, file);
    return file;
  }
}

function rowsOf(file: UserFile, name: string, member: string | undefined): RowSource {
  if (member === undefined) return npyRows(file);
  return name.endsWith('.npz') ? npzRows(file, member) : safetensorRows(file, member);
}

function checked(source: RowSource): RowSource {
  const { shape, bytes, isWhole } = source;
  if (shape.length === 0) throw new FormatError('it is a single number; axis 0 must be the sample');
  if (shape.includes(0)) throw new FormatError(`its shape is [${shape}]: it has no samples`);
  const most = Math.min(constants.MAX_LENGTH, totalmem());
  if (isWhole && bytes > most)
    throw new FormatError(
      `it takes ${formatBytes(bytes)} of memory, of which ${formatBytes(most)} are possible: it is in Fortran order or compressed, and ` +
        'cannot be read by rows',
      {
        remedy:
          'Save it by numpy.save(file, numpy.ascontiguousarray(x)): an array of any size is then read row by row.',
      },
    );
  return source;
}
