import { readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { brokenRules, someFile, typed, zoneTargets } from './brokenRules.ts';

const root = join(import.meta.dirname, '../../..');

/** A text that stands in the folder `from` and takes a type from a file: `to`, or one of the folder `to`. */
function importing(from: string, to: string): string {
  const file = to.endsWith('.ts') ? to : someFile(to);
  const path = relative(from, file).replaceAll('\\', '/');
  return `import type {} from '${path.startsWith('.') ? path : `./${path}`}';\n`;
}

describe('the import floors', () => {
  test.each([
    ['protocol', 'formats', 'sideways on the lowest floor'],
    ['linalg', 'compression', 'upward'],
    ['compression', 'data', 'sideways'],
    ['protocol', 'compression', 'upward past a floor'],
    ['language', 'training', 'which runs models, though it is a floor below'],
  ])('server/%s may not import server/%s: %s', async (from, to) => {
    const text = importing(`server/${from}`, `server/${to}`);
    expect(await brokenRules(`server/${from}`, text)).toContain('import-x/no-restricted-paths');
  });

  test.each([
    ['compression', 'linalg'],
    ['compression', 'protocol'],
    ['linalg', 'formats'],
  ])('server/%s may import server/%s, a floor below', async (from, to) => {
    expect(await brokenRules(`server/${from}`, importing(`server/${from}`, `server/${to}`))).toEqual([]);
  });

  test.each([
    ['extension/runs', 'training', ['import-x/no-restricted-paths']],
    ['extension/runs', 'runs', []],
    ['webview/charts', 'runs', ['import-x/no-restricted-paths']],
    ['webview/charts', 'protocol', []],
    ['runtime/layers', 'compression', ['import-x/no-restricted-paths']],
    ['runtime/layers', 'formats', []],
  ])('%s imports server/%s: breaks %j', async (from, to, broken) => {
    expect(await brokenRules(from, importing(from, `server/${to}`))).toEqual(broken);
  });

  test.each([
    ['extension/sidecar', 'extension/runs', 'upward'],
    ['extension/runs', 'extension/services.ts', 'upward, to a file'],
    ['extension/experiments', 'extension/commands', 'upward'],
    ['extension/language', 'extension/dashboard', 'sideways'],
    ['extension/messages.ts', 'extension/runs', 'upward from a file'],
    ['webview/charts', 'webview/views', 'upward'],
    ['webview/charts/model', 'webview/charts', 'upward, to the folder around it'],
    ['webview/controls', 'webview/charts', 'upward'],
    ['webview/views', 'webview/frame', 'upward'],
    ['webview/state.ts', 'webview/controls', 'upward from a file'],
    ['runtime/matrices', 'runtime/layers', 'upward'],
  ])('%s may not import %s: %s', async (from, to) => {
    const folder = from.endsWith('.ts') ? dirname(from) : from;
    expect(await brokenRules(from, importing(folder, to))).toContain('import-x/no-restricted-paths');
  });

  test.each([
    ['extension/runs', 'extension/sidecar'],
    ['extension/commands', 'extension/dashboard'],
    ['extension/dashboard', 'extension/messages.ts'],
    ['webview/charts', 'webview/charts/model'],
    ['webview/views/compare', 'webview/charts'],
    ['webview/frame', 'webview/views'],
    ['runtime/layers', 'runtime/matrices'],
  ])('%s may import %s, a floor below', async (from, to) => {
    expect(await brokenRules(from, importing(from, to))).toEqual([]);
  });

  test.each(['server', 'extension', 'webview', 'runtime'])('everything in %s/ stands on a floor', async (folder) => {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
    const code = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
    const places = new Set(code.map((file) => `./${folder}/${file.split(sep)[0]}`));
    const floors = await zoneTargets(folder);
    expect([...places].filter((place) => !floors.includes(place))).toEqual([]);
    expect(places.size).toBeGreaterThan(5);
  });

  test.each(['node:fs', 'vscode'])(
    'server/protocol, which also runs in a browser, may not import %s',
    async (module) => {
      expect(await brokenRules('server/protocol', `import '${module}';\n`)).toContain('no-restricted-imports');
    },
  );

  test.each(['node:fs', '@tensorflow/tfjs', 'zod'])(
    'runtime/, which has no dependencies, may not import %s',
    async (module) => {
      expect(await brokenRules('runtime/layers', `import '${module}';\n`)).toContain('no-restricted-imports');
    },
  );
});

test.each(['server/cli', 'extension/runs', 'webview/frame'])(
  '%s takes the message of what was thrown from one place',
  async (folder) => {
    const text = "export const told = (error: unknown) => (error instanceof Error ? error.message : 'none');\n";
    expect(await brokenRules(folder, text)).toEqual(['no-restricted-syntax']);
  },
);

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
