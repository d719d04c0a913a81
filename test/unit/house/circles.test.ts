import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { circlesIn, importsOf } from './importCircles.ts';

const root = join(import.meta.dirname, '../../..');
const folders = ['server', 'extension', 'webview', 'runtime', 'bin', 'scripts', 'test', 'examples', 'media'];

test('no files import one another in a circle, types neither', () => {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.[jt]s$/.test(name) && !/node_modules|\.deeptwist/.test(name))
      .map((name) => join(root, folder, name)),
  );
  const imports = importsOf(files);
  expect([...imports.values()].flat().length).toBeGreaterThan(files.length);
  expect(circlesIn(imports).map((circle) => circle.map((file) => relative(root, file)))).toEqual([]);
});

test('a circle of types is found, wherever it is entered, and what only leads to it is not part of it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'circle-'));
  try {
    const texts = {
      'entry.ts': "import { a } from './a.ts';\n",
      'a.ts': "import { b } from './b.ts';\nimport './leaf.ts';\nexport type A = 1;\n",
      'b.ts': "import './leaf.ts';\nimport type { A } from './a.ts';\n",
      'leaf.ts': "import 'node:fs';\n",
    };
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
    const imports = importsOf(Object.keys(texts).map((name) => join(folder, name)));
    expect(circlesIn(imports).map((circle) => circle.map((file) => basename(file)))).toEqual([
      ['a.ts', 'b.ts', 'a.ts'],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
