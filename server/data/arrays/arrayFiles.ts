/** @file The files of a data set's arrays: each is opened once, however many of its arrays are wanted. */
import { constants } from 'node:buffer';
import { resolve } from 'node:path';
import { FormatError } from '../../formats/formatError.ts';
import { Hdf5File } from '../../formats/hdf5.ts';
import { hdf5Rows } from '../../formats/hdf5Rows.ts';
import { npyRows, npzRows } from '../../formats/npy.ts';
import type { RowSource } from '../../formats/rowSource.ts';
import { safetensorRows } from '../../formats/safetensors.ts';
import { memoryOfMachine } from '../../memory/machineMemory.ts';
import { UserFile } from '../../modules/userFile.ts';
import { arrayReference } from '../../protocol/experiment/arrayReference.ts';
import { formatBytes } from '../../protocol/formatQuantity.ts';
import { UserError } from '../../protocol/userError.ts';

const REMEDY =
  'Write the array anew with numpy.save, numpy.savez, safetensors.numpy.save_file or h5py, or correct the path in the experiment file.';

/** The rows of an array that an experiment names. */
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
  readonly #hdf5 = new Map<UserFile, Hdf5File>();

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
    const hdf5 = isHdf5(name) ? await this.#hdf5File(file) : undefined;
    const source = file.decoded(() => checked(hdf5 ? hdf5Rows(hdf5, member!) : rowsOf(file, name, member)));
    return { ...source, reference, setting, decoded: (work) => file.decoded(work) };
  }

  close(): void {
    for (const file of this.#hdf5.values()) file.close();
    this.#hdf5.clear();
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

  async #hdf5File(file: UserFile): Promise<Hdf5File> {
    const known = this.#hdf5.get(file);
    if (known) return known;
    const opened = await Hdf5File.open(file).catch((error: unknown) =>
      file.decoded((): never => {
        throw error;
      }),
    );
    this.#hdf5.set(file, opened);
    return opened;
  }
}

const isHdf5 = (name: string) => /\.(h5|hdf5)$/.test(name);

function rowsOf(file: UserFile, name: string, member: string | undefined): RowSource {
  if (member === undefined) return npyRows(file);
  return name.endsWith('.npz') ? npzRows(file, member) : safetensorRows(file, member);
}

function checked(source: RowSource): RowSource {
  const { shape, bytes, isWhole } = source;
  if (shape.length === 0) throw new FormatError('it is a single number; axis 0 must be the sample');
  if (shape.includes(0)) throw new FormatError(`its shape is [${shape}]: it has no samples`);
  const most = Math.min(constants.MAX_LENGTH, memoryOfMachine());
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
