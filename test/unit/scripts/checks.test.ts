/** @file What `npm test` prints at its end. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { root } from '../../../scripts/root.js';

const report = `checks-${process.pid}.json`;
const path = join(root, '.cache', report);
afterEach(() => rmSync(path, { force: true }));

/** Runs a check whose process writes a report, or none, and exits with a code. @returns the exit code and what was printed */
function check(results: object | undefined, exitCode: number): { status: number | null; stdout: string } {
  const write =
    results && `require('node:fs').writeFileSync(${JSON.stringify(path)}, ${JSON.stringify(JSON.stringify(results))})`;
  const checks = [[{ name: 'tests', run: ['-e', `${write ?? ''}; process.exitCode = ${exitCode}`], report }]];
  const checksModule = pathToFileURL(join(root, 'scripts', 'checks.js')).href;
  const script = `import { runChecks } from ${JSON.stringify(checksModule)}; await runChecks(${JSON.stringify(checks)}, 0);`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
}

const passed = { status: 'passed', fullName: 'holds', failureMessages: [] };

test('the tests that failed stand at the end with their messages, before the number of tests', () => {
  const failed = { status: 'failed', fullName: 'a run ends', failureMessages: ['Error: it does not\n    at x.ts:1'] };
  const { status, stdout } = check(
    {
      numPassedTests: 1,
      testResults: [
        { name: join(root, 'test/a.test.ts'), status: 'failed', assertionResults: [passed, failed] },
        { name: join(root, 'test/b.test.ts'), status: 'failed', message: 'SyntaxError', assertionResults: [] },
      ],
    },
    1,
  );
  expect(status).toBe(1);
  expect(stdout).toMatch(
    /\nTests that failed:\ntest\/a\.test\.ts > a run ends\n {4}Error: it does not\n {8}at x\.ts:1\ntest\/b\.test\.ts\n {4}SyntaxError\n\n1 passed, 2 failed\n$/,
  );
});

test('where all passed nothing stands between the checks and the number of tests', () => {
  const { status, stdout } = check(
    { numPassedTests: 1, testResults: [{ name: 'a', status: 'passed', assertionResults: [passed] }] },
    0,
  );
  expect(status).toBe(0);
  expect(stdout).toMatch(/\n {7}all of it +\d+\.\d s\n\n1 passed, 0 failed\n$/);
});

test('a test that passed when it was tried again is named with what went wrong first, and has passed', () => {
  const flaky = { ...passed, failureMessages: ['Error: too late'] };
  const { status, stdout } = check(
    { numPassedTests: 1, testResults: [{ name: 'a', status: 'passed', assertionResults: [flaky] }] },
    0,
  );
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /\nTests that failed once and passed when tried again:\na > holds\n {4}Error: too late\n\n1 passed, 0 failed\n$/,
  );
});

test('a check that wrote no report counts as one test that failed', () => {
  const { status, stdout } = check(undefined, 3);
  expect(status).toBe(3);
  expect(stdout).toMatch(
    /checks-\d+\.json was not written: the tests ended before their end\.\n\n0 passed, 1 failed\n$/,
  );
});
