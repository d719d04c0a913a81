/**
 * @file `npm test`: sets the checkout up and runs every check, each to its end, so that one run shows all that is wrong.
 * Exits with the code of the first that failed. The last line counts the tests, for CI: `N passed, M failed`.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeWithLeftovers, temporaryFolder } from './leftovers.js';
import { root } from './root.js';
import { setUp } from './setup.js';

const begun = performance.now();
await setUp({ editor: true, browser: true });

const bin = (/** @type {string} */ path) => join(root, 'node_modules', path);
const cache = join(root, '.cache');
mkdirSync(cache, { recursive: true });

/** @param {string} name of the report @param {string[]} projects of vitest.config.ts @returns {string[]} */
function vitest(name, ...projects) {
  const report = join(cache, `${name}-tests.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return [bin('vitest/vitest.mjs'), 'run', ...projects.map((project) => `--project=${project}`), ...reporters];
}

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {string[]} run arguments of Node
 * @property {string} [report] counts of tests, as Vitest's JSON reporter writes them
 */

/**
 * Rows of checks, which run side by side: the tests in a real editor mostly wait for it, and a check of the source takes one core.
 * @type {Check[][]}
 */
const rows = [
  [
    { name: 'format', run: [bin('prettier/bin/prettier.cjs'), '--check', '.'] },
    { name: 'types and lint', run: [join(root, 'scripts', 'check-types.js')] },
    { name: 'dead code', run: [bin('knip/bin/knip.js')] },
    { name: 'every test is collected', run: [join(root, 'scripts', 'check-tests.js')] },
    { name: 'tests of WebGPU', run: vitest('webgpu', 'webgpu'), report: 'webgpu-tests.json' },
  ],
  [{ name: 'tests', run: vitest('unit', 'unit', 'alone'), report: 'unit-tests.json' }],
  [
    { name: 'tests in VS Code', run: [join(root, 'scripts', 'test-vscode.js')], report: 'vscode-tests.json' },
    { name: 'tests in a browser', run: vitest('browser', 'browser'), report: 'browser-tests.json' },
  ],
];

/**
 * Runs a check with a folder of its own for temporary files, and prints what it printed when it has ended.
 * @param {Check} check
 * @returns {Promise<{ line: string, exitCode: number, passed: number, failed: number }>}
 */
async function runCheck({ name, run, report }) {
  const start = performance.now();
  if (report !== undefined) rmSync(join(cache, report), { force: true });
  const temporary = temporaryFolder();
  console.log(`> ${name} …`);
  const { status, output } = await ended(run, { ...process.env, ...temporary.env });
  const left = await removeWithLeftovers(temporary.path);
  const exitCode = status !== 0 ? status : left.length > 0 ? 1 : 0;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const line = `${exitCode === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(24)} ${seconds.padStart(6)} s`;
  console.log(['', line, output.trim(), ...left, ''].filter((text, i) => i === 0 || text !== '').join('\n'));
  return { line, exitCode, ...(report === undefined ? { passed: 0, failed: 0 } : countTests(join(cache, report))) };
}

/**
 * @param {string[]} run @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ status: number, output: string }>} `output`: both streams, in their order
 */
function ended(run, env) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, run, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => resolve({ status: 1, output: String(error) }));
    child.on('exit', (code) => {
      const done = () => {
        child.stdout.destroy();
        child.stderr.destroy();
        resolve({ status: code ?? 1, output });
      };
      child.on('close', done);
      // A process that was left behind may hold the streams open.
      setTimeout(done, 1000);
    });
  });
}

/**
 * Counts tests. A file that could not be loaded, and a run that wrote no report, count as one failed test.
 * @param {string} report @returns {{ passed: number, failed: number }}
 */
function countTests(report) {
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { passed: 0, failed: 1 };
  }
  const unloaded = results.testResults.filter(
    (/** @type {{ status: string, assertionResults: unknown[] }} */ file) =>
      file.status === 'failed' && file.assertionResults.length === 0,
  );
  return { passed: results.numPassedTests, failed: results.numFailedTests + unloaded.length };
}

const results = await Promise.all(
  rows.map(async (checks) => {
    const done = [];
    for (const check of checks) done.push(await runCheck(check));
    return done;
  }),
).then((all) => all.flat());

const sum = (/** @type {'passed' | 'failed'} */ count) => results.reduce((total, result) => total + result[count], 0);
const seconds = ((performance.now() - begun) / 1000).toFixed(1);
console.log(`\n${results.map(({ line }) => line).join('\n')}\n       all of it ${seconds.padStart(21)} s\n`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = results.find(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0;
