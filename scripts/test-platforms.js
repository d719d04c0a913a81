/**
 * @file `npm run test:platforms [-- NAME…]`: the tests on other platforms than those of `npm test`: on the newest VS Code for the browser, and on newer
 * lines of Node. `NAME` is one of {@link platforms}; without one, all of them, which takes about three times as long as `npm test`.
 */
import { join } from 'node:path';
import { runChecks, vitest } from './checks.js';
import { fail } from './needs.js';
import { nodeExecutable, nodeVersions, otherNode } from './otherNode.js';
import { root } from './root.js';

const begun = performance.now();

// `scripts/editor/install.js` reads it, in this process and in those of the checks.
process.env.DEEPTWIST_EDITOR = 'newest';

/**
 * @typedef {object} Platform
 * @property {import('./checks.js').Check[]} checks one after the other
 * @property {import('./needs.js').Need[]} [needs] besides those of all platforms
 */

/** @param {22 | 24} line @returns {Platform} */
function onNode(line) {
  const version = nodeVersions[line];
  const check = vitest(`tests on Node ${line}`, `node-${line}-tests.json`, 'unit', 'alone', 'webgpu');
  return { checks: [{ ...check, node: nodeExecutable(version) }], needs: [otherNode(version)] };
}

/** @type {Readonly<Record<string, Platform>>} */
const platforms = {
  vscode: {
    checks: [
      {
        name: 'tests in the newest VS Code',
        run: [join(root, 'scripts', 'test-vscode.js')],
        report: 'vscode-tests.json',
      },
      vitest('tests in a browser', 'newest-browser-tests.json', 'browser'),
    ],
  },
  node22: onNode(22),
  node24: onNode(24),
};

const names = process.argv.slice(2);
const unknown = names.find((name) => !(name in platforms));
if (unknown !== undefined) fail(`there is no platform ${unknown}. Platforms: ${Object.keys(platforms).join(', ')}.`);
const wanted = names.length === 0 ? Object.keys(platforms) : names;

const { setUp } = await import('./setup.js');
const needs = wanted.flatMap((name) => platforms[name].needs ?? []);
await setUp({ editor: wanted.includes('vscode'), browser: true, needs });
await runChecks([wanted.flatMap((name) => platforms[name].checks)], begun);
