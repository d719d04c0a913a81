/** @file User's files that are not what a run was made from any more: with others, it would go on as another run. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { sha256Of } from '../formats/sha256.ts';
import { UserError } from '../protocol/userError.ts';
import { copySources, sourceCopy, type SourceFile } from './copySources.ts';
import type { Run } from './run.ts';

/**
 * The files that differ from the run's copies. A file that the run has no copy of is not among them: runs of earlier versions
 * have fewer.
 * @param files that the run would go on with
 */
export async function changedSources(run: Run, files: readonly SourceFile[]): Promise<SourceFile[]> {
  const changed: SourceFile[] = [];
  for (const file of files) {
    const copy = sourceCopy(run, file.path);
    if (existsSync(copy) && !(await isSame(file, copy))) changed.push(file);
  }
  return changed;
}

async function isSame({ path, content }: SourceFile, copy: string): Promise<boolean> {
  if (content !== undefined) return content.equals(await readFile(copy));
  if ((await stat(path)).size !== (await stat(copy)).size) return false;
  return (await sha256Of(path)) === (await sha256Of(copy));
}

/** The option of a command that takes the files as they are now. */
const WITH_CHANGED_FILES = 'with-changed-files';

/** @throws UserError that names the files, where there are any */
export function refuseChanged(
  run: Run,
  changed: readonly SourceFile[],
  command: 'resume' | 'evaluate' | 'export' | 'thin' | 'benchmark' | 'sensitivity',
): void {
  if (changed.length === 0) return;
  const [is, it] = changed.length === 1 ? ['has', 'it'] : ['have', 'them'];
  throw new UserError(`${named(changed)} ${is} changed since the run ${run.id} was made from ${it}.`, {
    remedy:
      `Restore what the run was made from, which is in ${run.sourceFolder}; or take the files as they are now: ` +
      `deeptwist ${command} ${run.id} --${WITH_CHANGED_FILES}`,
    option: WITH_CHANGED_FILES,
  });
}

/**
 * Makes the files as they are now the run's, and keeps the copies of those before.
 * @param step after which the run goes on with them
 * @returns what the user should know
 */
export async function replaceSources(run: Run, changed: readonly SourceFile[], step: number): Promise<string> {
  const before = `${run.sourceFolder}-until-step-${step}`;
  for (const { path } of changed) {
    const copy = sourceCopy(run, path);
    const kept = join(before, relative(run.sourceFolder, copy));
    await mkdir(dirname(kept), { recursive: true });
    if (!existsSync(kept)) await rename(copy, kept);
  }
  await copySources(run, changed);
  return (
    `The run continues with ${named(changed)} as changed since it began: it cannot be repeated as one run. ` +
    `What it was trained with until step ${step} is in ${relative(run.path, before)}.`
  );
}

function named(files: readonly SourceFile[]): string {
  return files.map(({ path }) => path).join(', ');
}
