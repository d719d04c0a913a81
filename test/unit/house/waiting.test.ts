import { describe, expect, test } from 'vitest';
import { brokenRules } from './brokenRules.ts';

describe.each(['test/unit/house', 'test/vscode', 'test/e2e', 'test/webview'])('in %s', (folder) => {
  test.each([
    ["import { setTimeout as sleep } from 'node:timers/promises';\nvoid sleep(100);\n", 'no-restricted-imports'],
    ['await new Promise((resolve) => setTimeout(resolve, 100));\n', 'no-restricted-syntax'],
    [
      'declare const page: { waitForTimeout(ms: number): Promise<void> };\nawait page.waitForTimeout(100);\n',
      'no-restricted-syntax',
    ],
  ])('a test may not wait for a time: %j', async (text, rule) => {
    expect(await brokenRules(folder, text)).toContain(rule);
  });

  test.each(['test.skip', 'it.only', 'describe.todo', 'test.skipIf(true)'])(
    'a test may not be passed over: %s',
    async (call) => {
      const text = `import { describe, it, test } from 'vitest';\n${call}('it holds', () => {});\nvoid [describe, it, test];\n`;
      expect(await brokenRules(folder, text)).toContain('no-restricted-syntax');
    },
  );
});

test.each([
  '../../../scripts/editor/workbench.js',
  '../../../scripts/editor/serve.js',
  '../../webview/dashboardPage.ts',
  'playwright-core',
])('a unit test may not import %s: the browser is looked for where a browser is set up', async (module) => {
  expect(await brokenRules('test/unit/house', `import '${module}';\n`)).toContain('no-restricted-imports');
});
