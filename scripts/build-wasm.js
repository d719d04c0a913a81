/**
 * @file Compiles every `assembly/index.ts` (AssemblyScript) of `runtime/` and of the folders of `server/` to WebAssembly and writes
 * it, as base64, to `generated/wasm.ts` beside it, so that a bundle, a test and a worker load it in the same way.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './root.js';

const compiler = fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js'));

/** @param {string} folder @returns {number} newest modification time of the files in a folder, ms */
function newest(folder) {
  return Math.max(...readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs));
}

/** Compiles the folders whose sources are newer than their output. */
export function buildWasm() {
  const folders = ['runtime', ...readdirSync(join(root, 'server')).map((name) => `server/${name}`)];
  for (const folder of folders) {
    const sources = join(root, folder, 'assembly');
    if (!existsSync(join(sources, 'index.ts'))) continue;
    const target = join(root, folder, 'generated', 'wasm.ts');
    if (existsSync(target) && statSync(target).mtimeMs > newest(sources)) continue;
    const wasm = join(root, 'out', `${folder.replace('/', '-')}.wasm`);
    mkdirSync(dirname(wasm), { recursive: true });
    mkdirSync(dirname(target), { recursive: true });
    execFileSync(
      process.execPath,
      [
        compiler,
        join(sources, 'index.ts'),
        // A page downloads the runtime's: its loops call no function, so that fewer copies of functions make them no slower.
        folder === 'runtime' ? '-O3s' : '-O3',
        ...['--enable', 'simd', '--runtime', 'stub', '--importMemory', '--outFile', wasm],
      ],
      { stdio: 'inherit' },
    );
    const base64 = readFileSync(wasm).toString('base64');
    writeFileSync(
      target,
      `/** Built from ${folder}/assembly by scripts/build-wasm.js. */\nexport const wasmBase64 =\n  '${base64}';\n`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildWasm();
