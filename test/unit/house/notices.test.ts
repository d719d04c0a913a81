import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { thirdPartyNotices } from '../../../scripts/notices.js';
import { runtimeFiles } from '../../../scripts/package.js';
import { root } from '../../../scripts/root.js';

let notices: string;
/** Names of packages, each with the text below its name. */
let texts: Map<string, string>;

beforeAll(async () => {
  notices = await thirdPartyNotices(await runtimeFiles());
  texts = new Map(
    notices.split(/\n\n={80}\n\n/).flatMap((part) => {
      const [names, ...text] = part.split('\n\n');
      return names.split('\n').map((name) => [name.replace(/ \S+$/, ''), text.join('\n\n')] as const);
    }),
  );
});

test('name every package of which a bundle has something, as the maps of the bundles tell', () => {
  const maps = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.map') && !file.startsWith('node_modules'),
  );
  const bundled = maps.flatMap((file) => {
    const { sources } = JSON.parse(readFileSync(join(root, 'dist', file), 'utf8')) as { sources: string[] };
    return sources.flatMap((source) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []);
  });
  expect(bundled).toContain('zod');
  // A part of the repository of @modelcontextprotocol/server, and not a package of its own.
  const others = new Set(bundled.filter((name) => name !== '@modelcontextprotocol/core-internal'));
  expect([...others].filter((name) => !texts.has(name))).toEqual([]);
});

test('name what is shipped beside the bundles', () => {
  const shipped = ['onnxruntime-node', '@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm', 'jiti', 'seedrandom'];
  for (const name of [...shipped, '@jsquash/jpeg']) expect(texts.has(name), name).toBe(true);
});

test.each([
  ['zod', 'Colin McDonnell'],
  ['@kurkle/color', 'Jukka Kurkela'],
  ['chart.js', 'Chart.js Contributors'],
  ['onnxruntime-node', 'Eigen'],
  ['onnxruntime-node', 'Copyright (c) Microsoft Corporation'],
  ['@tensorflow/tfjs-core', 'Apache License'],
  ['@jsquash/jpeg', 'Apache License'],
  ['@jsquash/jpeg', 'based in part on the work of the Independent JPEG'],
  ['seedrandom', 'Copyright (c) David Bau'],
  ['vscode-languageclient', 'Microsoft Corporation'],
  ['assemblyscript', 'Apache License'],
])('%s has its own licence, with "%s" in it', (name, words) => {
  expect(texts.get(name)).toContain(words);
});

test('have a licence for each', () => {
  const granted = /permission|licen[cs]e/i;
  expect([...texts].filter(([name, text]) => !name.startsWith('DeepTwist') && !granted.test(text))).toEqual([]);
});

test('are not of packages that are used for development alone', () => {
  for (const name of ['picomatch', 'typescript', 'vitest', 'esbuild']) expect(texts.has(name), name).toBe(false);
});
