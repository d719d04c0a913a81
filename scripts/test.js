/**
 * @file `npm test`: sets the checkout up and runs every check, each to its end, so that one run shows all that is wrong.
 * Exits with the code of the first that failed. The last line counts the tests, for CI: `N passed, M failed`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeWithLeftovers, temporaryFolder } from './leftovers.js';
import { root } from './root.js';
import { setUp } from './setup.js';

await setUp({ editor: true, browser: true });

const bin = (/** @type {string} */ path) => join(root, 'node_modules', path);
const cache = join(root, '.cache');
mkdirSync(cache, { recursive: true });

/** @param {string} project of vitest.config.ts @returns {string[]} */
function vitest(project) {
  const report = join(cache, `${project}-tests.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return [bin('vitest/vitest.mjs'), 'run', '--project', project, ...reporters];
}

/** @type {Record<string, { run: string[], report?: string }>} `report`: counts of tests, as Vitest's JSON reporter writes them */
const checks = {
  format: { run: [bin('prettier/bin/prettier.cjs'), '--check', '.'] },
  lint: { run: [bin('eslint/bin/eslint.js'), '.', '--max-warnings', '0'] },
  types: { run: [bin('typescript/bin/tsc'), '-b'] },
  'dead code': { run: [bin('knip/bin/knip.js')] },
  'every test is collected': { run: [join(root, 'scripts', 'check-tests.js')] },
  tests: { run: vitest('unit'), report: 'unit-tests.json' },
  'tests in VS Code': { run: [join(root, 'scripts', 'test-vscode.js')], report: 'vscode-tests.json' },
  'tests in a browser': { run: vitest('browser'), report: 'browser-tests.json' },
};

let exitCode = 0;
let passed = 0;
let failed = 0;
/** @type {string[]} */
const lines = [];

/** @param {string} name @param {boolean} ok @param {number} start */
function note(name, ok, start) {
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  lines.push(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(24)} ${seconds.padStart(6)} s`);
}

const temporary = temporaryFolder();
const env = { ...process.env, ...temporary.env };
for (const [name, { run, report }] of Object.entries(checks)) {
  console.log(`\n> ${name}`);
  const start = performance.now();
  if (report !== undefined) rmSync(join(cache, report), { force: true });
  const { status } = spawnSync(process.execPath, run, { cwd: root, stdio: 'inherit', env });
  exitCode ||= status ?? 1;
  note(name, status === 0, start);
  if (report === undefined) continue;
  const counts = countTests(join(cache, report));
  passed += counts.passed;
  failed += counts.failed;
}

console.log('\n> nothing is left behind');
const start = performance.now();
const left = await removeWithLeftovers(temporary.path);
for (const sentence of left) console.error(sentence);
note('nothing is left behind', left.length === 0, start);
exitCode ||= left.length === 0 ? 0 : 1;

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

console.log(`\n${lines.join('\n')}\n\n${passed} passed, ${failed} failed`);
process.exitCode = exitCode;
