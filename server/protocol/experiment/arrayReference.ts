/** @file References to arrays of files: `FILE.npy`, or `FILE.npz:NAME` where a file has arrays by their names. */

export interface ArrayReference {
  /** As it is written: relative to the experiment file. */
  readonly file: string;
  /** Undefined for a file of one array, and where it is missing. */
  readonly name: string | undefined;
  /** True for files that have arrays by their names. */
  readonly hasNames: boolean;
}

const WITH_NAMES = /^(.+\.(?:npz|safetensors|h5|hdf5))(?::([^:]+))?$/;

export function arrayReference(text: string): ArrayReference {
  const [, file, name] = WITH_NAMES.exec(text) ?? [];
  return file === undefined ? { file: text, name: undefined, hasNames: false } : { file, name, hasNames: true };
}
