/**
 * @file `npm run test:platforms [-- NAME…]`: the tests on other platforms than those of `npm test`: on the newest VS Code for the browser, and on newer
 * lines of Node. `NAME` is one of {@link platforms}; without one, all of them, which takes about three times as long as `npm test`.
 */
import { join } from 'node:path';
import { runChecks, vitest } from './checks.js';
import { bring, fail } from './needs.js';
import { nodeExecutable, nodeVersions, otherNode } from './otherNode.js';
import { root } from './root.js';

const begun = performance.now();

// What `scripts/editor/install.js` reads, here and in the checks.
process.env.DEEPTWIST_EDITOR = 'newest';

/** @param {22 | 24} line @returns {import('./checks.js').Check[]} */
function onNode(line) {
  const node = nodeExecutable(nodeVersions[line]);
  return [{ ...vitest(`tests on Node ${line}`, `node-${line}-tests.json`, 'unit', 'alone', 'webgpu'), node }];
}

/** The checks of each, one after the other. @satisfies {Record<string, import('./checks.js').Check[]>} */
const platforms = {
  vscode: [
    {
      name: 'tests in the newest VS Code',
      run: [join(root, 'scripts', 'test-vscode.js'), '--newest'],
      report: 'vscode-tests.json',
    },
    vitest('tests in a browser', 'newest-browser-tests.json', 'browser'),
  ],
  node22: onNode(22),
  node24: onNode(24),
};

const names = /** @type {(keyof typeof platforms)[]} */ (process.argv.slice(2));
const wrong = names.find((name) => !(name in platforms));
if (wrong !== undefined) fail(`there is no platform ${wrong}. Platforms: ${Object.keys(platforms).join(', ')}.`);
const wanted = names.length === 0 ? /** @type {typeof names} */ (Object.keys(platforms)) : names;

const { setUp } = await import('./setup.js');
await setUp({ editor: wanted.includes('vscode'), browser: true });
try {
  if (wanted.includes('node22')) await bring([otherNode(nodeVersions[22])]);
  if (wanted.includes('node24')) await bring([otherNode(nodeVersions[24])]);
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
await runChecks([wanted.flatMap((name) => platforms[name])], begun);
