/** @file The worker that reads a log, built as it is shipped: Node 20 runs no TypeScript in a thread. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** @returns the path of the built `runReader.js` in `folder` */
export async function buildRunReader(folder: string): Promise<string> {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  const outfile = join(folder, 'runReader.js');
  await build({
    entryPoints: [fileURLToPath(new URL('../../../../extension/dashboard/runReader.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
  });
  return outfile;
}
