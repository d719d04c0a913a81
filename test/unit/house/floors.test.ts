import { describe, expect, test } from 'vitest';
import { brokenRules, someFile, typed } from './brokenRules.ts';

/** A text that imports a file of another folder of `server/`. */
const importing = (folder: string) => `import '../${someFile(`server/${folder}`).replace('server/', '')}';\n`;

describe('the import floors', () => {
  test.each([
    ['protocol', 'formats', 'sideways on the lowest floor'],
    ['linalg', 'compression', 'upward'],
    ['compression', 'data', 'sideways'],
    ['protocol', 'compression', 'upward past a floor'],
    ['language', 'training', 'which runs models, though it is a floor below'],
  ])('server/%s may not import server/%s: %s', async (from, to) => {
    expect(await brokenRules(`server/${from}`, importing(to))).toContain('import-x/no-restricted-paths');
  });

  test.each([
    ['compression', 'linalg'],
    ['compression', 'protocol'],
    ['linalg', 'formats'],
  ])('server/%s may import server/%s, a floor below', async (from, to) => {
    expect(await brokenRules(`server/${from}`, importing(to))).toEqual([]);
  });

  test.each([
    ['extension', 'training', ['import-x/no-restricted-paths']],
    ['extension', 'runs', []],
    ['webview', 'runs', ['import-x/no-restricted-paths']],
    ['webview', 'protocol', []],
  ])('%s imports server/%s: breaks %j', async (from, to, broken) => {
    expect(await brokenRules(from, importing(to).replace('../', '../server/'))).toEqual(broken);
  });

  test.each(['node:fs', 'vscode'])(
    'server/protocol, which also runs in a browser, may not import %s',
    async (module) => {
      expect(await brokenRules('server/protocol', `import '${module}';\n`)).toContain('no-restricted-imports');
    },
  );
});

test.each(['server/formats', 'test/unit/house'])('in %s a promise may not be left floating', async (folder) => {
  const text = 'const answer = async () => 1;\nanswer();\n';
  expect(await brokenRules(folder, text, typed)).toContain('@typescript-eslint/no-floating-promises');
});

test.each(['server/linalg', 'test/bench'])(
  '%s may not load ONNX Runtime past the one module that does',
  async (folder) => {
    const rule = '@typescript-eslint/no-restricted-imports';
    expect(await brokenRules(folder, `import { Tensor } from 'onnxruntime-node';\nvoid Tensor;\n`)).toContain(rule);
    expect(
      await brokenRules(folder, `import type { Tensor } from 'onnxruntime-node';\nexport type T = Tensor;\n`),
    ).not.toContain(rule);
  },
);
