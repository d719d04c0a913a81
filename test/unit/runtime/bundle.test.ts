import * as esbuild from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { declarations, runtimeBundle } from '../../../scripts/build.js';
import { forms, pack } from './packedModel.ts';

const folder = mkdtempSync(join(tmpdir(), 'deeptwist-runtime-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const entry = join(folder, 'runtime', 'index.js');
beforeAll(() => esbuild.build(runtimeBundle(folder)));

/** Bytes of the file that a page downloads, the WebAssembly in it. */
const MOST_BYTES = 60_000;

test('the bundle with its WebAssembly is one file of at most 60 kB that imports nothing', async () => {
  const { metafile, outputFiles } = await esbuild.build({ ...runtimeBundle(folder), write: false, metafile: true });
  const scripts = outputFiles.filter(({ path }) => path.endsWith('.js'));
  expect(scripts.map(({ contents }) => contents.length)).toEqual([expect.any(Number)]);
  expect(scripts[0].contents.length).toBeLessThanOrEqual(MOST_BYTES);
  expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([]);
});

test('plain Node.js loads the bundle and runs a model with weights in any form', () => {
  const expected = forms.map((form) => {
    const model = tf.sequential({ layers: [tf.layers.dense({ name: 'fc', units: 20, inputShape: [30] })] });
    writeFileSync(join(folder, `${form}.safetensors`), pack(model, form));
    return [model.predict(tf.ones([1, 30]))].flat().map((output) => [...output.dataSync()])[0];
  });
  const script = `
    import { loadModel } from ${JSON.stringify(pathToFileURL(entry))};
    import { readFileSync } from 'node:fs';
    const outputs = [];
    for (const form of ${JSON.stringify(forms)}) {
      const model = await loadModel(readFileSync(form + '.safetensors'));
      outputs.push(Array.from(model.predict(new Float32Array(30).fill(1))[0]));
    }
    console.log(JSON.stringify(outputs));`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: folder,
    encoding: 'utf8',
  });
  const numbers: unknown = JSON.parse(printed);
  expect(numbers).toEqual(expected.map((values) => values.map((value) => expect.closeTo(value, 5))));
});

test('the declarations stand by themselves', () => {
  const text = declarations();
  expect(text).toContain('export declare function loadModel');
  expect(text).not.toMatch(/^import /m);
  const file = join(folder, 'index.d.ts');
  writeFileSync(file, text);
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    types: [],
  });
  expect(ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)).toEqual([]);
});

test('the package has the runtime as an entry of its own', () => {
  const { exports } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'));
  expect(exports['./runtime']).toEqual({
    types: './dist/runtime/index.d.ts',
    default: './dist/runtime/index.js',
  });
});
