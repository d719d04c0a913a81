/** @file Tells which files a reader opens or changes: the functions of node:fs that do are wrapped. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const READING = ['open', 'readFile', 'createReadStream', 'openAsBlob'];
const WRITING = [
  'writeFile',
  'appendFile',
  'mkdir',
  'rm',
  'rmdir',
  'unlink',
  'rename',
  'copyFile',
  'symlink',
  'link',
  'truncate',
];

type Functions = Record<string, ((...args: unknown[]) => unknown) | undefined>;

/** Paths that were opened or changed outside a folder since the last {@link outside}. */
export class OpenedFiles {
  #folder = '';
  #outside: string[] = [];

  /** @param allowed folders whose files the process needs for itself */
  constructor(allowed: readonly string[]) {
    const isAllowed = (path: string) =>
      [...allowed, this.#folder].some((folder) => path === folder || path.startsWith(folder + sep));
    const note = (name: string, path: unknown) => {
      if (this.#folder === '' || (typeof path !== 'string' && !(path instanceof URL) && !Buffer.isBuffer(path))) return;
      const file = resolve(path instanceof URL ? fileURLToPath(path) : String(path));
      if (!isAllowed(file)) this.#outside.push(`${name} ${file}`);
    };
    const wrap = (functions: Functions, name: string) => {
      const original = functions[name];
      if (original === undefined) return;
      functions[name] = function wrapped(this: unknown, ...args: unknown[]) {
        note(name, args[0]);
        return original.apply(this, args);
      };
    };
    for (const name of [...READING, ...WRITING]) {
      wrap(fs as unknown as Functions, name);
      wrap(fs as unknown as Functions, `${name}Sync`);
      wrap(fs.promises as unknown as Functions, name);
    }
    syncBuiltinESMExports();
  }

  watch(folder: string): void {
    this.#folder = folder;
    this.#outside = [];
  }

  /** What was opened or changed outside since {@link watch}, which this ends. */
  outside(): string[] {
    this.#folder = '';
    return this.#outside;
  }
}
