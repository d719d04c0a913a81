/**
 * @file Compiles every `assembly/index.ts` (AssemblyScript) of `runtime/` and of the folders of `server/` to WebAssembly and writes
 * it, as base64, to `generated/wasm.ts` beside it, so that a bundle, a test and a worker load it in the same way. The runtime's is
 * deflated, since pages download it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { root } from './root.js';

const compiler = fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js'));

/** @param {string} folder @returns {number} newest modification time of the files in a folder, ms */
function newest(folder) {
  return Math.max(...readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs));
}

/** Compiles the folders whose sources, or this file, are newer than their output. */
export function buildWasm() {
  const folders = ['runtime', ...readdirSync(join(root, 'server')).map((name) => `server/${name}`)];
  for (const folder of folders) {
    const sources = join(root, folder, 'assembly');
    if (!existsSync(join(sources, 'index.ts'))) continue;
    const target = join(root, folder, 'generated', 'wasm.ts');
    const changed = Math.max(newest(sources), statSync(fileURLToPath(import.meta.url)).mtimeMs);
    if (existsSync(target) && statSync(target).mtimeMs > changed) continue;
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
        // A memory that threads share has a maximum (server/memory/instantiate.ts).
        ...(folder === 'runtime' ? [] : ['--maximumMemory', '65536']),
      ],
      { stdio: 'inherit' },
    );
    const bytes = readFileSync(wasm);
    const [name, stored] = folder === 'runtime' ? ['deflatedWasm', deflateSync(bytes, { level: 9 })] : ['wasm', bytes];
    writeFileSync(
      target,
      `/** Built from ${folder}/assembly by scripts/build-wasm.js. */\nexport const ${name}Base64 =\n  '${stored.toString('base64')}';\n`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildWasm();
