/** @file Import Model and New Experiment with an ONNX file, as a user does: from the file to an experiment that runs. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEditor } from '../../scripts/editor/serve.js';
import { launchBrowser, openFile, openWorkbench, runCommand } from '../../scripts/editor/workbench.js';
import { root } from '../../scripts/root.js';
import { checkExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import { withExperiment } from '../../server/training/index.ts';
import { npy } from '../fixtures/npy.ts';
import { graphFile, node, seededFloats } from '../unit/models/onnx/onnxFiles.ts';

const { randomFloats } = seededFloats();

let editor: Awaited<ReturnType<typeof startEditor>>;
let browser: Browser;
let page: Page;
let workspace: string;

const dense = (input: string, name: string, output: string) =>
  node('Gemm', [input, `${name}.weight`, `${name}.bias`], output, { transB: { int: 1 } });

const python = `import torch
from torch import nn

class SmallNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.fc2 = nn.Linear(8, 2)
`;

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'deeptwist-import-'));
  const tensors = {
    'fc1.weight': randomFloats([8, 4]),
    'fc1.bias': randomFloats([8]),
    'fc2.weight': randomFloats([2, 8]),
    'fc2.bias': randomFloats([2]),
  };
  const nodes = [dense('x', 'fc1', 'h'), node('Relu', ['h'], 'r'), dense('r', 'fc2', 'y')];
  writeFileSync(join(workspace, 'net.onnx'), graphFile({ nodes, tensors }));
  writeFileSync(join(workspace, 'net.py'), python);
  mkdirSync(join(workspace, 'data'));
  for (const split of ['train', 'test']) {
    writeFileSync(join(workspace, 'data', `x_${split}.npy`), npy(new Float32Array(320), [80, 4]));
    writeFileSync(join(workspace, 'data', `y_${split}.npy`), npy(new Int32Array(80), [80]));
  }
  editor = await startEditor({ settings: { 'deeptwist.notifications': 'none' } });
  browser = await launchBrowser();
  page = await openWorkbench(browser, editor.url({ folder: workspace, extension: root }));
});

afterAll(async () => {
  await browser?.close();
  await editor?.dispose();
  rmSync(workspace, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

const row = (label: string) => page.locator('.quick-input-list .monaco-list-row', { hasText: label }).first();

/** The questions from that of the method on. */
async function answerTheRest(): Promise<void> {
  await row('Prune').click();
  await row('fc2').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-message', { hasText: 'NAME.deeptwist.jsonc' }).waitFor();
  await page.keyboard.press('Enter');
}

test('New Experiment asks neither for the only model nor for the only data, and what it writes can be trained', async () => {
  await runCommand(page, 'DeepTwist: New Experiment');
  await row('Prune').waitFor();
  expect(await page.locator('.quick-input-title').innerText()).toContain('net · data');
  await answerTheRest();
  await page.locator('.tab', { hasText: 'net-prune.deeptwist.jsonc' }).waitFor();
  const file = join(workspace, 'net-prune.deeptwist.jsonc');
  const { experiment, problems } = checkExperiment(readFileSync(file, 'utf8'));
  expect(problems).toEqual([]);
  expect(experiment).toMatchObject({
    model: './net.onnx',
    training: { loss: 'sparse-categorical-crossentropy-from-logits' },
    compression: { layers: { fc1: {}, fc2: {} } },
  });
  expect(await withExperiment(file, ({ program }) => Promise.resolve(program.metric))).toBe('accuracy');
});

test('Import Model tells what a file consists of, and goes on with a new experiment', async () => {
  await runCommand(page, 'DeepTwist: Import Model');
  await row('net.onnx').click();
  await page.locator('.notification-toast', { hasText: 'net.onnx: [4] → [2], 58 parameters in 2 layers.' }).waitFor();
  await answerTheRest();
  await page.locator('.tab', { hasText: 'net-prune-2.deeptwist.jsonc' }).waitFor();
});

test('Import Model writes the call that exports the class of the Python file that is open', async () => {
  await openFile(page, 'net.py');
  await runCommand(page, 'DeepTwist: Import Model');
  await row('From PyTorch').click();
  const text = () => page.locator('.view-lines').last().innerText();
  await expect.poll(async () => (await text()).replaceAll('\u00a0', ' ')).toContain('from net import SmallNet');
});
