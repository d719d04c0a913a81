/**
 * @file Exports finished runs for the page, and copies the runtime beside them, into `models/`:
 *
 *   node examples/browser/prepare.js RUN…
 *
 * A run on a text becomes the model that completes texts, with its vocabulary; one on MNIST the model of digits.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';

const root = fileURLToPath(new URL('../../', import.meta.url));
const models = fileURLToPath(new URL('models/', import.meta.url));

/**
 * @param {readonly string[]} references runs, as `deeptwist export` takes them
 * @param {string} [folder] for the files
 * @throws an Error where a run cannot be exported; what is wrong with it is on standard error
 */
export async function prepare(references, folder = models) {
  const runtime = join(root, 'dist/runtime/index.js');
  if (!existsSync(runtime)) throw new Error('dist/ is not built. Run first: npm ci && npm run build');
  const load = createJiti(import.meta.url);
  /** @type {typeof import('../../server/runs/findRun.ts')} */
  const { findRun } = await load.import('../../server/runs/findRun.ts');
  /** @type {typeof import('../../server/data/text/vocabulary.ts')} */
  const { readVocabulary } = await load.import('../../server/data/text/vocabulary.ts');
  mkdirSync(folder, { recursive: true });
  copyFileSync(runtime, join(folder, 'runtime.js'));
  for (const reference of references) {
    const exported = join(folder, 'exported.safetensors');
    exportPacked(reference, exported);
    const { path } = await findRun(reference, process.cwd());
    const vocabulary = join(path, 'vocabulary.txt');
    const name = existsSync(vocabulary) ? 'text' : 'digits';
    if (name === 'text') {
      const { words } = await readVocabulary(vocabulary, reference);
      writeFileSync(join(folder, 'vocabulary.json'), JSON.stringify(words));
    }
    renameSync(exported, join(folder, `${name}.safetensors`));
    process.stdout.write(`models/${name}.safetensors is of the run ${path}\n`);
  }
}

/** @param {string} reference @param {string} file */
function exportPacked(reference, file) {
  const command = join(root, 'bin/deeptwist.js');
  try {
    const args = [command, 'export', reference, '--format', 'packed', '--out', file];
    execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  } catch {
    rmSync(file, { force: true });
    throw new Error(`${reference} was not exported.`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const references = process.argv.slice(2);
  try {
    if (references.length === 0) throw new Error('Usage: node examples/browser/prepare.js RUN…');
    await prepare(references);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
