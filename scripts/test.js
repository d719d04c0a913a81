/**
 * @file `npm test`: sets the checkout up and runs every check, each to its end, so that one run shows all that is wrong.
 * Exits with the code of the first that failed. The last line counts Vitest's tests, for CI: `N passed, M failed`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.js';
import { setUp } from './setup.js';

await setUp();

const bin = (/** @type {string} */ path) => join(root, 'node_modules', path);
const report = join(root, '.cache', 'vitest.json');
mkdirSync(join(root, '.cache'), { recursive: true });
rmSync(report, { force: true });

const checks = {
  format: [bin('prettier/bin/prettier.cjs'), '--check', '.'],
  lint: [bin('eslint/bin/eslint.js'), '.', '--max-warnings', '0'],
  types: [bin('typescript/bin/tsc'), '-b'],
  'dead code': [bin('knip/bin/knip.js')],
  'every test is collected': [join(root, 'scripts', 'check-tests.js')],
  tests: [bin('vitest/vitest.mjs'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
};

let exitCode = 0;
const lines = [];
for (const [name, args] of Object.entries(checks)) {
  console.log(`\n> ${name}`);
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  exitCode ||= status ?? 1;
  lines.push(`${status === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(24)} ${seconds.padStart(6)} s`);
}

/**
 * Counts Vitest's tests. A file that could not be loaded, and a run that wrote no report, count as one failed test.
 * @returns {{ passed: number, failed: number }}
 */
function countTests() {
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

const { passed, failed } = countTests();
console.log(`\n${lines.join('\n')}\n\n${passed} passed, ${failed} failed`);
process.exitCode = exitCode;
