/**
 * @file Runs the suite `test/vscode/` in the extension host of a real VS Code: the browser one, or with `--desktop` a
 * desktop one that `@vscode/test-electron` downloads, or with `--newest` the newest for the browser. `node scripts/test-vscode.js PART` runs
 * the files whose names contain PART. The results are printed and written to `.cache/vscode-tests.json` in the form of Vitest's report.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitOnSignals } from './leftovers.js';
import { TEST_TIMEOUT } from './patience.js';
import { root } from './root.js';
import { setUp } from './setup.js';

const args = process.argv.slice(2);
const only = args.find((arg) => !arg.startsWith('--'));
const onDesktop = args.includes('--desktop');
if (args.includes('--newest')) process.env.DEEPTWIST_EDITOR = 'newest'; // Before `install.js`, which reads it, is loaded.
exitOnSignals();
await setUp({ editor: !onDesktop, browser: !onDesktop });
const { startEditor } = await import('./editor/serve.js');
const { bundleSuite, REPORT_VARIABLE } = await import('./editor/suite.js');
const { launchBrowser, openWorkbench } = await import('./editor/workbench.js');

/** @typedef {{ group: string, name: string, duration: number, error?: string, firstError?: string }} Result */

/**
 * A workspace that the suite may write to: the examples, with their data sets as links.
 * @returns {string}
 */
function temporaryWorkspace() {
  const folder = mkdtempSync(join(tmpdir(), 'deeptwist-workspace-'));
  const examples = join(root, 'examples');
  cpSync(examples, folder, {
    recursive: true,
    filter: (path) => !/[\\/](node_modules|\.deeptwist)$/.test(path),
  });
  symlinkSync(join(examples, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return folder;
}

/** @param {string} report @returns {{ results: Result[], ended: boolean }} what the suite has reported so far */
function readReport(report) {
  if (!existsSync(report)) return { results: [], ended: false };
  const lines = readFileSync(report, 'utf8').split('\n').filter(Boolean);
  const values = lines.map((line) => JSON.parse(line));
  return { results: values.filter((value) => value.name !== undefined), ended: values.some((value) => value.end) };
}

/**
 * Every process of a run has a ticket and a socket in a folder for temporary files, and removes them when it ends.
 * @param {string} temporary @returns {string[]}
 */
function leftByRuns(temporary) {
  const folders = readdirSync(temporary).filter((name) => /^deeptwist(-\d+)?$/.test(name));
  return folders.flatMap((name) => readdirSync(join(temporary, name)).map((file) => join(temporary, name, file)));
}

/** @typedef {{ workspace: string, tests: string, report: string, temporary: string }} Paths */

/**
 * @param {Paths} paths
 * @returns {Promise<string>} what helps to understand a suite that did not end
 */
async function runInBrowser({ workspace, tests, report, temporary }) {
  // Its runs wait for no others of this user, and what they leave behind is seen.
  const editor = await startEditor({ env: { [REPORT_VARIABLE]: report, TMPDIR: temporary } });
  const browser = await launchBrowser();
  try {
    await openWorkbench(browser, editor.url({ folder: workspace, extension: root, tests }));
    await endOf(report);
    return editor.log();
  } finally {
    await browser.close();
    await editor.dispose();
  }
}

/** Waits until the suite has ended, or has reported nothing for longer than a test may take. @param {string} report */
async function endOf(report) {
  let count = 0;
  for (let heard = performance.now(); performance.now() - heard < 2 * TEST_TIMEOUT;) {
    const { results, ended } = readReport(report);
    if (ended) return;
    if (results.length > count) heard = performance.now();
    count = results.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** @param {Paths} paths @returns {Promise<string>} */
async function runOnDesktop({ workspace, tests, report, temporary }) {
  const { runTests } = await import('@vscode/test-electron');
  await runTests({
    version: '1.100.3',
    extensionDevelopmentPath: root,
    extensionTestsPath: tests,
    launchArgs: [workspace, '--disable-workspace-trust', '--disable-extensions', '--skip-welcome'],
    extensionTestsEnv: { [REPORT_VARIABLE]: report, TMPDIR: temporary },
  });
  return '';
}

const folder = mkdtempSync(join(tmpdir(), 'deeptwist-suite-'));
const workspace = temporaryWorkspace();
const paths = {
  workspace,
  tests: join(root, 'out', 'vscode', 'suite.cjs'),
  report: join(folder, 'results.jsonl'),
  temporary: folder,
};
let results;
try {
  await bundleSuite(paths.tests, only);
  const log = await (onDesktop ? runOnDesktop(paths) : runInBrowser(paths));
  const report = readReport(paths.report);
  results = report.results;
  if (!report.ended) {
    const error = `The suite has not ended. VS Code's server printed:\n${log}`;
    results.push({ group: 'test/vscode', name: 'ends', duration: 0, error });
  }
  const left = leftByRuns(folder);
  if (left.length > 0)
    results.push({ group: 'test/vscode', name: 'leaves nothing behind', duration: 0, error: left.join('\n') });
} finally {
  rmSync(folder, { recursive: true, force: true });
  rmSync(workspace, { recursive: true, force: true });
}

let group = '';
for (const result of results) {
  if (result.group !== group) console.log((group = result.group));
  console.log(
    `  ${result.error === undefined ? 'ok    ' : 'FAILED'} ${result.name} (${Math.round(result.duration)} ms)`,
  );
  if (result.error !== undefined) console.log(result.error.replace(/^/gm, '         '));
}
const failed = results.filter(({ error }) => error !== undefined);
const passed = results.length - failed.length;
console.log(`${passed} passed, ${failed.length} failed`);
mkdirSync(join(root, '.cache'), { recursive: true });
writeFileSync(
  join(root, '.cache', 'vscode-tests.json'),
  JSON.stringify({
    numPassedTests: passed,
    testResults: results.map(({ group, name, error, firstError }) => {
      const status = error === undefined ? 'passed' : 'failed';
      const failureMessages = [error, firstError].filter((message) => message !== undefined);
      return { name: group, status, assertionResults: [{ status, fullName: name, failureMessages }] };
    }),
  }),
);
process.exitCode = failed.length === 0 && passed > 0 ? 0 : 1;
