/** @file The check that every test is run: a test file that no runner collects would stay green for ever. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { suiteFiles } from './editor/suite.js';
import { root } from './root.js';

/** Folders that hold tests and what tests import, nothing else. */
const testFolders = ['unit', 'vscode', 'e2e'].map((name) => join('test', name) + sep);
const outside = new Set(['node_modules', 'dist', 'out', '.cache', '.git']);

/** @param {string} folder @returns {string[]} the TypeScript files below a folder, relative to the root */
function typeScriptFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return outside.has(entry.name) ? [] : typeScriptFiles(path);
    return entry.name.endsWith('.ts') ? [relative(root, path)] : [];
  });
}

/** @returns {string[]} the files that Vitest and the suite in VS Code collect, relative to the root */
function collectedFiles() {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const list = spawnSync(process.execPath, [vitest, 'list', '--filesOnly', '--json'], { cwd: root, encoding: 'utf8' });
  if (list.status !== 0) throw new Error(`vitest list failed:\n${list.stderr}`);
  return [
    ...JSON.parse(list.stdout).map((/** @type {{ file: string }} */ { file }) => relative(root, file)),
    ...suiteFiles().map((name) => join('test', 'vscode', name)),
  ];
}

/** @param {string[]} tests @returns {Promise<Set<string>>} the tests and what they import, relative to the root */
async function importedFiles(tests) {
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: tests,
    bundle: true,
    write: false,
    metafile: true,
    outdir: 'out',
    platform: 'node',
    format: 'esm',
    packages: 'external',
    external: ['vscode'],
    logLevel: 'error',
  });
  return new Set(Object.keys(metafile.inputs).map((path) => join(path)));
}

/** What a test starts as a process of its own: `new URL('NAME.ts', import.meta.url)`. */
const STARTED = /new URL\('([\w./-]+\.ts)', import\.meta\.url\)/g;
/** Files of types alone, whose imports bundling leaves out. */
const TYPES = /^import type .* from '(\.[\w./-]+\.ts)';$/gm;

/** @param {string} file relative to the root @param {RegExp} pattern @returns {string[]} the files that it names so */
function namedFiles(file, pattern) {
  if (!file.endsWith('.ts')) return [];
  return [...readFileSync(join(root, file), 'utf8').matchAll(pattern)].map(([, name]) => join(dirname(file), name));
}

/** @returns {Promise<string[]>} a sentence for each test that never runs and each file that no test uses */
export async function uncollectedTests() {
  const files = typeScriptFiles(root);
  const collected = new Set(collectedFiles());
  const tests = files.filter((file) => file.endsWith('.test.ts'));
  const imported = await importedFiles(tests);
  const started = [...imported].flatMap((file) => namedFiles(file, STARTED));
  for (const file of await importedFiles(started)) imported.add(file);
  for (const file of [...imported].flatMap((one) => namedFiles(one, TYPES))) imported.add(file);
  return [
    ...tests.filter((file) => !collected.has(file)).map((file) => `${file} is a test that nothing collects.`),
    ...files
      .filter((file) => testFolders.some((folder) => file.startsWith(folder)) && !imported.has(file))
      .map((file) => `${file} is neither a test (*.test.ts) nor imported by one.`),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = await uncollectedTests();
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
