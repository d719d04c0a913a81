/**
 * @file Loads a user's TypeScript or JavaScript module: a model, a data set, a distortion. `@tensorflow/tfjs` is ours
 * inside it, the same instance, so that nothing need be installed beside it and its layers work in our training step.
 */
import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../protocol/userError.ts';
import { tfjsForModules } from './fileSystem.ts';
import { checkUserFile } from './readUserFile.ts';
import { fixOf, rememberFiles, settled, withPlace } from './userCalls.ts';

export interface UserModule {
  /** Absolute path. */
  path: string;
  exports: Readonly<Record<string, unknown>>;
  /** The module and every file of the user's that it imported, absolute, packages left out. */
  files: string[];
}

/** Packages that a user's module gets from us, loaded when it imports them. `tfjs` has the exports of all of them. */
const provided = {
  get '@tensorflow/tfjs'() {
    return tfjsForModules().tfjs;
  },
  get '@tensorflow/tfjs-core'() {
    return tfjsForModules().tfjs;
  },
  get '@tensorflow/tfjs-layers'() {
    return tfjsForModules().tfjs;
  },
  get '@tensorflow/tfjs-node'() {
    return tfjsForModules().tfjsNode;
  },
};

/**
 * Imports a module afresh: a file that has changed since the last import is read again.
 *
 * @param path absolute
 * @throws UserError when the file is missing, does not compile, imports what is not there or throws
 */
export async function importUserModule(path: string): Promise<UserModule> {
  await checkUserFile(path, 'Correct the path in the experiment file; it is relative to that file.');
  // Only where there is a module to load, and Babel by its `require`: to import it, as `jiti/static` does, takes 90 ms longer.
  const { createJiti } = await import('jiti');
  const jiti = createJiti(pathToFileURL(path).href, { virtualModules: provided });
  const before = new Set(Object.keys(jiti.cache));
  const imported = () => Object.keys(jiti.cache).filter((file) => !before.has(file) && !inPackage(file));
  try {
    const loading = jiti.import<Record<string, unknown>>(path);
    const exports = await settled(`an await outside of functions in ${path}`, loading);
    return { path, exports: exports as UserModule['exports'], files: imported() };
  } catch (error) {
    throw new UserError(`${path} could not be loaded: ${describe(error, imported())}`, {
      remedy: isMissingModule(error)
        ? 'Install the missing package beside the module, or correct the path that it imports.'
        : fixOf(path, error, imported()),
      cause: error,
    });
  } finally {
    rememberFiles([path, ...imported()]);
    for (const file of imported()) delete jiti.cache[file];
  }
}

/**
 * An exported function of the module.
 *
 * @throws UserError when there is no such function; it lists the exports that exist
 */
export function exportedFunction(module: UserModule, name: string): (...values: never[]) => unknown {
  const value = module.exports[name];
  if (typeof value === 'function') return value as (...values: never[]) => unknown;
  const names = Object.keys(module.exports);
  const found = value === undefined ? `does not export '${name}'` : `exports '${name}', which is not a function`;
  throw new UserError(`${module.path} ${found}. It exports: ${names.join(', ') || 'nothing'}.`, {
    remedy: `Export a function: export function ${name}(…) { … }`,
  });
}

/** The error of a user's function as a UserError that names the line of the user's code it came from. */
export function userCodeError(module: UserModule, what: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  return new UserError(`${what} of ${module.path} failed: ${describe(error, module.files)}`, {
    remedy: fixOf(module.path, error, module.files),
    cause: error,
  });
}

function describe(error: unknown, files: readonly string[]): string {
  return withPlace(error, files, isMissingModule(error) ? error.message.split('\n')[0] : undefined);
}

function isMissingModule(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
}

function inPackage(file: string): boolean {
  return file.includes(`${sep}node_modules${sep}`);
}
