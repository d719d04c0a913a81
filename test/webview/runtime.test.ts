/** @file The runtime in a real browser: the bundle as the package has it, loaded by a page, and files that it fetches. */
import * as tf from '@tensorflow/tfjs';
import * as esbuild from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runtimeBundle } from '../../scripts/build.js';
import { launchBrowser } from '../../scripts/editor/workbench.js';
import { Random } from '../../server/formats/random.ts';
import { builtinModels } from '../../server/models/builtinModels.ts';
import { eagerOutputs, pack, randomNumbers, relativeError } from '../unit/runtime/packedModel.ts';

const ORIGIN = 'https://runtime.test';
/** All that a page must allow so that the runtime works in it. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

const files = new Map<string, { body: Buffer; contentType: string }>();
let browser: Browser;
let page: Page;

beforeAll(async () => {
  const [opened, { outputFiles }] = await Promise.all([
    launchBrowser(),
    esbuild.build({ ...runtimeBundle('out'), write: false, sourcemap: false }),
  ]);
  browser = opened;
  const html = Buffer.from('<!doctype html><title>runtime</title>');
  files.set('/', { body: html, contentType: 'text/html' });
  files.set('/runtime.js', { body: Buffer.from(outputFiles[0].contents), contentType: 'text/javascript' });
  page = await browser.newPage();
  await page.route(`${ORIGIN}/**`, (route) => {
    const file = files.get(new URL(route.request().url()).pathname);
    return route.fulfill(
      file ? { ...file, headers: { 'content-security-policy': POLICY } } : { status: 404, body: '' },
    );
  });
  await page.goto(`${ORIGIN}/`);
});
afterAll(() => browser.close());

function serve(path: string, bytes: Uint8Array): void {
  files.set(path, { body: Buffer.from(bytes), contentType: 'application/octet-stream' });
}

/** What a page does with the runtime: a text, since modules of tests are not those of the page. */
const inPage = (path: string, inputs: readonly number[][]) => `(async () => {
  const { loadModel } = await import('${ORIGIN}/runtime.js');
  const model = await loadModel('${ORIGIN}${path}');
  const outputs = [];
  for (const input of ${JSON.stringify(inputs)}) {
    const numbers = Float32Array.from(input);
    outputs.push(...(input.length === 1 ? model.step(numbers) : model.predict(numbers))[0]);
  }
  return outputs;
})()`;

test.each(['sparse', 'codes', 'factors'] as const)(
  'Chromium classifies images with a LeNet-5 of %s weights',
  async (form) => {
    const model = builtinModels['lenet-5']();
    serve('/lenet-5.safetensors', pack(model, form));
    const pixels = randomNumbers(new Random(1), 2 * 784);
    const actual = await page.evaluate<number[]>(inPage('/lenet-5.safetensors', [[...pixels]]));
    const [expected] = eagerOutputs(model, [tf.tensor(pixels, [2, 28, 28, 1])]);
    expect(relativeError(Float32Array.from(actual), expected)).toBeLessThan(1e-5);
  },
);

test('Chromium goes on with a text word by word', async () => {
  const words = [3, 1, 4, 1, 5];
  const samples = {
    batchSize: 1,
    inputs: [{ shape: [words.length] }],
    vocabulary: { words: Array.from({ length: 20 }, (_, i) => `w${i}`) },
  };
  const model = builtinModels['lstm-lm-small'](samples);
  serve('/words.safetensors', pack(model, 'sparse'));
  const actual = await page.evaluate<number[]>(
    inPage(
      '/words.safetensors',
      words.map((word) => [word]),
    ),
  );
  const [expected] = eagerOutputs(model, [tf.tensor([words], [1, words.length], 'int32')]);
  expect(relativeError(Float32Array.from(actual), expected)).toBeLessThan(1e-5);
});

test('Chromium refuses what is not there, and what is no model', async () => {
  serve('/page.html', new TextEncoder().encode('<html>nothing is here</html>'));
  const refusalOf = (path: string) => page.evaluate<number[]>(inPage(path, []));
  await expect(refusalOf('/missing')).rejects.toThrow(
    'https://runtime.test/missing cannot be loaded: the server answered 404',
  );
  await expect(refusalOf('/page.html')).rejects.toThrow(/page\.html cannot be loaded: its header should have/);
});
