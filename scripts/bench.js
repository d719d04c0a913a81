/**
 * @file `npm run bench -- NAME [--json] [options]`: sets the checkout up and runs `test/bench/NAME.ts`. A benchmark is a
 * file there with a default export; the frame is test/bench/bench.ts. Without a name, lists them.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from './needs.js';
import { root } from './root.js';
import { setUp } from './setup.js';

const folder = join(root, 'test', 'bench');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.ts') && /^export default /m.test(readFileSync(join(folder, name), 'utf8')))
  .map((name) => name.slice(0, -'.ts'.length));

const [name, ...args] = process.argv.slice(2);
if (!names.includes(name)) fail(`say which benchmark to run: npm run bench -- NAME, one of ${names.join(', ')}.`);

const inEditor = name === 'editor';
await setUp({ editor: inEditor, browser: inEditor || name === 'inference-browser' });
const esbuild = await import('esbuild');
const script = join(root, '.cache', 'bench', `${name}.mjs`);
/** @type {import('esbuild').BuildOptions} */
const bundled = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  // They know the checkout by where they lie.
  external: [join(root, 'scripts', '*')],
};
await esbuild.build({
  ...bundled,
  stdin: {
    contents: `
      import benchmark from './${name}.ts';
      import { runBenchmark } from './bench.ts';
      await runBenchmark('${name}', benchmark, process.argv.slice(2));`,
    resolveDir: folder,
  },
  outfile: script,
});
// The threads that decode images have a bundle of their own, beside that which starts them.
if (name === 'images')
  await esbuild.build({
    ...bundled,
    entryPoints: [join(root, 'server', 'data', 'images', 'imageWorker.ts')],
    outdir: join(root, '.cache', 'bench'),
  });
const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
