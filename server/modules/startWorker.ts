/** @file Starts worker threads whose code is TypeScript, from the bundles and from the sources. */
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** @param entry its source, from this file; its bundle has the same name and is beside that of this file */
export function startWorker(
  entry: '../data/module/moduleWorker.ts' | '../data/images/imageWorker.ts' | '../optimizers/kernelWorker.ts',
  options: Pick<WorkerOptions, 'workerData' | 'stdout'>,
): Worker {
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL(`./${basename(entry, '.ts')}.js`, import.meta.url), options);
  // From sources: worker threads of Node 20 cannot run TypeScript.
  const jiti = JSON.stringify(createRequire(import.meta.url).resolve('jiti'));
  const source = JSON.stringify(fileURLToPath(new URL(entry, import.meta.url)));
  const asTheyAre = JSON.stringify({ nativeModules: ['jiti', '@tensorflow/tfjs', '@jsquash/jpeg'] });
  const bootstrap = `require(${jiti}).createJiti(${source}, ${asTheyAre}).import(${source})`;
  return new Worker(bootstrap, { ...options, eval: true });
}
