/** @file Runs checks, each to its end, with a folder of its own for temporary files, and tells what each took and came to. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { delimiter, dirname, join, sep } from 'node:path';
import { removeWithLeftovers, temporaryFolder } from './leftovers.js';
import { root } from './root.js';

const cache = join(root, '.cache');

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {string[]} run arguments of Node
 * @property {string} [report] name of a file in `.cache/` with the counts of tests, as Vitest's JSON reporter writes them
 * @property {string} [node] the executable of another Node than this process has
 * @property {boolean} [waits] true for a check that mostly waits for a window, which is to be quick: it goes before those that do not
 */

/** @param {string} path of a package's file @returns {string} */
export function bin(path) {
  return join(root, 'node_modules', path);
}

/**
 * Vitest on some projects of vitest.config.ts.
 * @param {string} name of the check @param {string} report @param {string[]} projects
 * @returns {Check}
 */
export function vitest(name, report, ...projects) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${join(cache, report)}`];
  const only = projects.map((project) => `--project=${project}`);
  return { name, run: [bin('vitest/vitest.mjs'), 'run', ...only, ...reporters], report };
}

/**
 * Runs a check and prints what it printed when it has ended.
 * @param {Check} check
 * @returns {Promise<{ line: string, exitCode: number } & Tests>}
 */
async function runCheck({ name, run, report, waits = false, node = process.execPath }) {
  const start = performance.now();
  if (report !== undefined) rmSync(join(cache, report), { force: true });
  const temporary = temporaryFolder();
  console.log(`> ${name} …`);
  // A test finds the same Node on the PATH, as `node`.
  const own = node === process.execPath ? {} : { PATH: [dirname(node), process.env.PATH].join(delimiter) };
  const { status, output } = await ended(node, run, { ...process.env, ...own, ...temporary.env }, waits);
  const left = await removeWithLeftovers(temporary.path);
  const exitCode = status !== 0 ? status : left.length > 0 ? 1 : 0;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const line = `${exitCode === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(28)} ${seconds.padStart(6)} s`;
  console.log(['', line, output.trim(), ...left, ''].filter((text, i) => i === 0 || text !== '').join('\n'));
  return {
    line,
    exitCode,
    ...(report === undefined ? { passed: 0, failed: [], flaky: [] } : readReport(join(cache, report))),
  };
}

/**
 * @param {string} node @param {string[]} run @param {NodeJS.ProcessEnv} env @param {boolean} waits
 * @returns {Promise<{ status: number, output: string }>} `output`: both streams, in their order
 */
function ended(node, run, env, waits) {
  return new Promise((resolve) => {
    const child = spawn(node, run, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env });
    // A window that waits for a core does not wait for its tests. Right after its start a process has no threads with priorities of their own.
    if (!waits && child.pid) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
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
 * @typedef {object} Tests
 * @property {number} passed
 * @property {string[]} failed name and message of each test that failed
 * @property {string[]} flaky the same of each test that passed when it was tried again
 */

/** The lines of a message that are told once more at the end: the whole of it stands where the check's output does. */
const MESSAGE_LINES = 12;

/**
 * Reads what tests came to. A file that could not be loaded, and a run that wrote no report, count as one failed test.
 * @param {string} report @returns {Tests}
 */
function readReport(report) {
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { passed: 0, failed: [`${report} was not written: the tests ended before their end.`], flaky: [] };
  }
  /** @type {Tests} */
  const tests = { passed: results.numPassedTests, failed: [], flaky: [] };
  for (const { name, status, message, assertionResults } of results.testResults) {
    const file = name.replace(root + sep, '');
    for (const test of assertionResults) {
      const list = test.status === 'failed' ? tests.failed : tests.flaky;
      if (test.status === 'failed' || test.failureMessages.length > 0)
        list.push(describeFailure(`${file} > ${test.fullName}`, test.failureMessages.join('\n')));
    }
    if (status === 'failed' && assertionResults.length === 0) tests.failed.push(describeFailure(file, message));
  }
  return tests;
}

/** @param {string} name @param {string} message */
function describeFailure(name, message) {
  return [name, ...message.split('\n').slice(0, MESSAGE_LINES)].join('\n    ');
}

/**
 * Runs rows of checks side by side and sets the exit code to that of the first that failed. At the end it prints what each came to,
 * the tests that failed, also those that then passed, and as the last line the number of tests: `N passed, M failed`.
 * @param {readonly (readonly Check[])[]} rows
 * @param {number} begun when the command was started, as `performance.now()`
 */
export async function runChecks(rows, begun) {
  mkdirSync(cache, { recursive: true });
  const results = await Promise.all(
    rows.map(async (checks) => {
      const done = [];
      for (const check of checks) done.push(await runCheck(check));
      return done;
    }),
  ).then((all) => all.flat());
  const passed = results.reduce((total, result) => total + result.passed, 0);
  const failed = results.flatMap((result) => result.failed);
  const flaky = results.flatMap((result) => result.flaky);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`\n${results.map(({ line }) => line).join('\n')}\n       all of it ${seconds.padStart(25)} s\n`);
  if (flaky.length > 0) console.log(`Tests that failed once and passed when tried again:\n${flaky.join('\n')}\n`);
  if (failed.length > 0) console.log(`Tests that failed:\n${failed.join('\n')}\n`);
  console.log(`${passed} passed, ${failed.length} failed`);
  process.exitCode = results.find(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0;
}
