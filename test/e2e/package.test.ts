/** @file The packages: what is in them, how large they are, and that the one for Linux works where it is installed. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { openFile, runCommand } from '../../scripts/editor/workbench.js';
import { isTarget, packageExtension, type Target } from '../../scripts/package.js';
import { root } from '../../scripts/root.js';
import { checkExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import { EXPERIMENT, EditorSession, eventsOf, recordOf } from './editorSession.ts';

const MB = 1e6;
const KB = 1000;
/** Loaded by a window that opens an experiment file, when it does. */
const LANGUAGE_CLIENT = 'language.js';

/** Bytes of the scripts and style sheets of a bundle's folder, the client of the language server left out. */
function bundleSize(folder: string): number {
  return readdirSync(join(root, 'dist', folder))
    .filter((name) => /\.(js|css)$/.test(name) && name !== LANGUAGE_CLIENT)
    .reduce((sum, name) => sum + statSync(join(root, 'dist', folder, name)).size, 0);
}

test("the bundle of the extension's side has at most 450 KB, with at most 500 KB of the language client when it is needed, that of the dashboard at most 600 KB", () => {
  expect(bundleSize('extension')).toBeLessThan(450 * KB);
  expect(statSync(join(root, 'dist', 'extension', LANGUAGE_CLIENT)).size).toBeLessThan(500 * KB);
  expect(bundleSize('webview')).toBeLessThan(600 * KB);
});

test('the extension expects the settings that the sources expect: it reads the schema that the build has written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'deeptwist-bundle-'));
  try {
    cpSync(join(root, 'dist', 'extension'), join(folder, 'dist', 'extension'), { recursive: true });
    cpSync(join(root, 'dist', 'experiment.schema.json'), join(folder, 'dist', 'experiment.schema.json'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    // The bundle imports VS Code, of which checking a file needs nothing.
    const scripts = readdirSync(join(folder, 'dist', 'extension')).filter((name) => name.endsWith('.js'));
    const imports = scripts.flatMap((name) => [
      ...readFileSync(join(folder, 'dist', 'extension', name), 'utf8').matchAll(/import\{([^}]+)\}from"vscode"/g),
    ]);
    const names = new Set(imports.flatMap(([, list]) => list.split(',').map((name) => name.split(' as ')[0])));
    mkdirSync(join(folder, 'node_modules', 'vscode'), { recursive: true });
    writeFileSync(
      join(folder, 'node_modules', 'vscode', 'index.js'),
      `class None {}\nexport { ${Array.from(names, (name) => `None as ${name}`).join(', ')} };`,
    );
    const script = scripts.find((name) => name.startsWith('parseExperiment-')) ?? '';
    const bundled = (await import(pathToFileURL(join(folder, 'dist', 'extension', script)).href)) as object;
    const text =
      '{ "model": 3, "data": { "type": "mnst" }, "training": { "steps": "x", "optimizer": { "type": "adam" } } }';
    const wanted = checkExperiment(text).problems.map(({ message }) => message);
    // Minified, they have no names: parseExperiment throws what checkExperiment returns.
    const answers = Object.values(bundled).flatMap((value: unknown) => {
      try {
        return typeof value === 'function' ? [(value as typeof checkExperiment)(text, []).problems] : [];
      } catch {
        return [];
      }
    });
    const found = answers.find((problems) => Array.isArray(problems));
    expect(found?.map(({ message }) => message)).toEqual(wanted);
    expect(wanted.join()).toContain('expected a positive integer');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a package carries the native library of its platform alone, and a README that is whole by itself', async () => {
  const packed = unzipSync(readFileSync(await packageExtension('darwin-arm64')));
  const files = Object.keys(packed);
  expect(files).toEqual(expect.arrayContaining(['extension/LICENSE.txt', 'extension/ThirdPartyNotices.txt']));
  const native = files.filter((name) => /\.(node|so(\.\d+)*|dylib|dll)$/.test(name));
  expect(native.map((name) => name.replace(/^.*napi-v6\//, '')).sort()).toEqual([
    'darwin/arm64/libonnxruntime.1.dylib',
    'darwin/arm64/onnxruntime_binding.node',
  ]);
  const readme = Buffer.from(packed['extension/readme.md']).toString();
  // The editor shows pictures of the text itself, and follows no path from it.
  expect(readme).toMatch(/!\[[^\]]*\]\(data:image\/png;base64,/);
  expect(readme.match(/\]\((?!data:|https:|#)[^)]*\)/g)).toBeNull();
  const declarations = /^extension\/dist\/node_modules\/(@tensorflow\/tfjs(-[a-z-]+)?|@webgpu\/types)\/.*\.d\.ts$/;
  expect(
    files.filter((name) => name.endsWith('.map') || (/\.tsx?$/.test(name) && !declarations.test(name))).sort(),
  ).toEqual([
    'extension/dist/runtime/index.d.ts',
    'extension/media/sample-digits.ts',
    'extension/media/template-model.ts',
  ]);
  expect(files).toEqual(
    expect.arrayContaining([
      // What Open Documentation opens.
      'extension/dist/docs/README.md',
      'extension/dist/docs/images/model-dark.png',
      'extension/node_modules/deeptwist-tfjs-types/index.js',
      'extension/node_modules/deeptwist-tfjs-types/package.json',
      'extension/dist/node_modules/@tensorflow/tfjs/dist/index.d.ts',
      'extension/dist/node_modules/@tensorflow/tfjs-layers/dist/exports_layers.d.ts',
    ]),
  );
});

const own = `${process.platform}-${process.arch}`;

test.runIf(isTarget(own))('the package of this platform is installed and trains a run to its end', async () => {
  const vsix = await packageExtension(own as Target);
  if (own === 'linux-x64') expect(statSync(vsix).size).toBeLessThan(40 * MB);
  const session = await EditorSession.open({ vsix });
  try {
    session.setSteps(400);
    const page = await session.window();
    await openFile(page, EXPERIMENT);
    await runCommand(page, 'DeepTwist: Run Experiment');
    await expect.poll(() => session.runs().length).toBe(1);
    const [run] = session.runs();
    await expect.poll(() => recordOf(run).state).toBe('finished');
    expect(eventsOf(run).at(-1)).toMatchObject({ type: 'finished', step: 400 });
    const log = readFileSync(join(run, 'sidecar.log'), 'utf8');
    expect(log).not.toContain(root);
  } finally {
    await session.dispose();
  }
});
