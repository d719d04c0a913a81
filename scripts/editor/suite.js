/**
 * @file Bundles the suite that runs inside VS Code: every `test/vscode/*.test.ts`, with a `run()` as VS Code and
 * `@vscode/test-electron` call it. The results go, a JSON object a line, to the file that the environment names.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { root } from '../root.js';

const folder = join(root, 'test', 'vscode');

/** Environment variables of the extension host. */
export const REPORT_VARIABLE = 'DEEPTWIST_TEST_REPORT';

/** @param {string} [only] part of the names of the files to run @returns {string[]} */
export function suiteFiles(only = '') {
  return readdirSync(folder).filter((name) => name.endsWith('.test.ts') && name.includes(only));
}

/** @param {string} outfile @param {string} [only] */
export async function bundleSuite(outfile, only) {
  const imports = suiteFiles(only).map((name) => `import './${name}';`);
  await esbuild.build({
    absWorkingDir: root,
    stdin: {
      contents: `
        ${imports.join('\n')}
        import { appendFileSync } from 'node:fs';
        import { runTests } from './frame.ts';
        export async function run() {
          const write = (line) => appendFileSync(process.env.${REPORT_VARIABLE}, JSON.stringify(line) + '\\n');
          try {
            await runTests(write);
          } finally {
            write({ end: true });
          }
        }`,
      resolveDir: folder,
    },
    outfile,
    bundle: true,
    platform: 'node',
    // VS Code takes a module with this extension for CommonJS, whatever package.json says.
    format: 'cjs',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: ['vscode'],
    sourcemap: 'inline',
    logLevel: 'warning',
  });
}
