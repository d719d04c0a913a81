/**
 * @file `npm test`: sets the checkout up and runs every check, each to its end, so that one run shows all that is wrong.
 * Exits with the code of the first that failed. The last line counts the tests, for CI: `N passed, M failed`.
 */
import { join } from 'node:path';
import { bin, runChecks, vitest } from './checks.js';
import { root } from './root.js';
import { setUp } from './setup.js';

const begun = performance.now();
await setUp({ editor: true, browser: true });

// The rows run side by side: the tests in a real editor mostly wait for it, and a check of the source takes one core.
await runChecks(
  [
    [
      { name: 'format', run: [bin('prettier/bin/prettier.cjs'), '--check', '.'] },
      { name: 'types and lint', run: [join(root, 'scripts', 'check-types.js')] },
      { name: 'dead code', run: [bin('knip/bin/knip.js')] },
      { name: 'every test is collected', run: [join(root, 'scripts', 'check-tests.js')] },
      vitest('tests of WebGPU', 'webgpu-tests.json', 'webgpu'),
    ],
    [vitest('tests', 'unit-tests.json', 'unit', 'alone')],
    [
      {
        name: 'tests in VS Code',
        run: [join(root, 'scripts', 'test-vscode.js')],
        report: 'vscode-tests.json',
        waits: true,
      },
      { ...vitest('tests in a browser', 'browser-tests.json', 'browser'), waits: true },
    ],
  ],
  begun,
);
