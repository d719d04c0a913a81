/**
 * @file Getting started in a real VS Code as a new user does: an empty folder, the sample experiment, a run to its end; and
 * that the dashboard's page is told of every event once, whatever the window does meanwhile.
 */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEditor } from '../../scripts/editor/serve.js';
import { launchBrowser, openWorkbench, runCommand, webview } from '../../scripts/editor/workbench.js';
import { root } from '../../scripts/root.js';
import { compressionsOf } from '../../server/protocol/experiment/compressions.ts';
import { checkExperiment } from '../../server/protocol/experiment/parseExperiment.ts';
import { eventsOf, recordOf, runsOf } from './editorSession.ts';
import { reloadWindow } from './reloadWindow.ts';

const SAMPLE = 'sample-digits-prune.deeptwist.jsonc';
let workspace: string;
let editor: Awaited<ReturnType<typeof startEditor>>;
let browser: Browser;
let page: Page;

const runs = () => runsOf(workspace);
const dashboard = () => webview(page);
const row = (text: string) => page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
const choose = (text: string) => row(text).click();

/**
 * Notes what a dashboard's page is told of rows of metrics, where the page listens: VS Code opens a webview's document anew
 * over a frame, which takes away the listeners that were there before.
 */
function countMetrics(): void {
  const counted = { rows: 0, snapshots: 0 };
  Object.assign(window, { counted });
  const listen = EventTarget.prototype.addEventListener;
  const count = ({ data }: MessageEvent) => {
    const { type, snapshot, events } = data as {
      type?: string;
      snapshot?: { metrics: { length: number } };
      events?: { type: string }[];
    };
    if (type === 'snapshot' && snapshot) {
      counted.snapshots++;
      counted.rows = snapshot.metrics.length;
    }
    if (type === 'events') counted.rows += (events ?? []).filter((event) => event.type === 'metrics').length;
  };
  EventTarget.prototype.addEventListener = function (this: EventTarget, ...args: Parameters<typeof listen>) {
    if (args[0] === 'message' && this === window) listen.call(this, 'message', count as (event: Event) => void);
    listen.apply(this, args);
  };
}
const counted = () =>
  dashboard()
    .locator('body')
    .evaluate(() => (window as unknown as { counted: { rows: number; snapshots: number } }).counted);

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'deeptwist-start-'));
  editor = await startEditor({ settings: { 'deeptwist.notifications': 'none' } });
  browser = await launchBrowser();
  page = await openWorkbench(browser, editor.url({ folder: workspace, extension: root }), { width: 1500, height: 950 });
  await page.context().addInitScript(countMetrics);
});

afterAll(async () => {
  for (const run of runs()) {
    const { state, process: trainer } = recordOf(run);
    if ((state === 'running' || state === 'queued') && trainer) process.kill(trainer.pid, 'SIGKILL');
  }
  await browser?.close();
  await editor?.dispose();
  rmSync(workspace, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

test('New Experiment can be left at any question, and leaves nothing behind', async () => {
  await runCommand(page, 'DeepTwist: New Experiment');
  await choose('lenet-300-100');
  await choose('Sample digits');
  await row('Quantize').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  expect(readdirSync(workspace)).toEqual([]);
});

test('New Experiment asks, with a way back, and writes a valid file', async () => {
  await runCommand(page, 'DeepTwist: New Experiment');
  await choose('lenet-5');
  await choose('Sample digits');
  await row('Quantize').waitFor();
  await page.locator('.quick-input-titlebar .codicon-quick-input-back').click();
  await choose('Sample digits');
  await choose('Quantize');
  await row('conv2').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-message', { hasText: 'NAME.deeptwist.jsonc' }).waitFor();
  await page.keyboard.press('Enter');
  const file = join(workspace, 'lenet-5-quantize.deeptwist.jsonc');
  await page.locator('.tab', { hasText: 'lenet-5-quantize.deeptwist.jsonc' }).waitFor();
  const { experiment = {}, problems } = checkExperiment(readFileSync(file, 'utf8'));
  expect(problems).toEqual([]);
  const [compression] = compressionsOf(experiment);
  expect(Object.keys(compression.layers)).toEqual(['conv1', 'conv2', 'fc1', 'fc2']);
  expect(readdirSync(workspace)).toContain('sample-digits.ts');
});

test('New Experiment begins with a new model from the template', async () => {
  await runCommand(page, 'DeepTwist: New Experiment');
  await choose('New Model from Template');
  // The sample digits of the test before are the only data.
  await choose('Prune');
  await row('fc1').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-message', { hasText: 'NAME.deeptwist.jsonc' }).waitFor();
  await page.keyboard.press('Enter');
  const texts = () =>
    readdirSync(workspace)
      .filter((name) => name.endsWith('-prune.deeptwist.jsonc'))
      .map((name) => readFileSync(join(workspace, name), 'utf8'));
  await expect.poll(() => texts().some((text) => text.includes('./model.ts'))).toBe(true);
  expect(checkExperiment(texts().find((text) => text.includes('./model.ts'))!).problems).toEqual([]);
  expect(readFileSync(join(workspace, 'model.ts'), 'utf8')).toContain('createModel');
  // A workspace with one model is not asked for it.
  rmSync(join(workspace, 'model.ts'));
});

test('the walkthrough leads to the sample', async () => {
  await runCommand(page, 'Welcome: Open Walkthrough...');
  await choose('Get Started with DeepTwist');
  await page.getByText('Create an Experiment').first().click();
  await page.getByRole('button', { name: 'Open the Sample' }).click();
  await page.locator('.tab', { hasText: SAMPLE }).waitFor();
  expect(checkExperiment(readFileSync(join(workspace, SAMPLE), 'utf8')).problems).toEqual([]);
});

test('every event reaches the page once, while the window is loaded again and the panel hidden', async () => {
  // Longer than the window takes to load again, also on a fast machine.
  const file = join(workspace, SAMPLE);
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(/"steps": (\d+)/, (_, steps) => `"steps": ${4 * Number(steps)}`),
  );
  await runCommand(page, 'DeepTwist: Open Dashboard to the Side');
  await page.locator('.tab', { hasText: SAMPLE }).first().click();
  await runCommand(page, 'DeepTwist: Run Experiment');
  await expect.poll(async () => (await counted()).rows).toBeGreaterThan(3);

  await reloadWindow(page, /shown[\\"]+:/);
  await expect.poll(async () => (await counted()).rows).toBeGreaterThan(3);

  // Another tab in front of it, then the dashboard again: the page is the same one, and gets what it missed.
  await page.locator('.tab', { hasText: 'DeepTwist Dashboard' }).click();
  await runCommand(page, 'View: Toggle Maximize Editor Group');
  await runCommand(page, 'File: New Untitled Text File');
  const recorded = () => eventsOf(runs()[0]).length;
  const before = recorded();
  await expect.poll(recorded).toBeGreaterThan(before);
  await page.locator('.tab', { hasText: 'DeepTwist Dashboard' }).click();

  const [run] = runs();
  await expect.poll(() => recordOf(run).state).toBe('finished');
  const rows = eventsOf(run).filter(({ type }) => type === 'metrics').length;
  expect(rows).toBeGreaterThan(50);
  await expect.poll(async () => (await counted()).rows).toBe(rows);
  expect((await counted()).snapshots).toBe(1);
});

test('a layer leads to its place in the experiment file', async () => {
  await dashboard().getByRole('tab', { name: 'Layers' }).click();
  await dashboard().getByRole('button', { name: 'Show fc2/kernel in the experiment file' }).click();
  await expect.poll(() => page.locator('.statusbar').innerText()).toMatch(/\(5 selected\)/);
});

test('a chart is saved as a table where the user says', async () => {
  await page.locator('.tab', { hasText: 'DeepTwist Dashboard' }).click();
  await dashboard().getByRole('tab', { name: 'Curves' }).click();
  await dashboard().getByRole('button', { name: 'Chart actions' }).first().click();
  await dashboard().getByText('Save as CSV…').first().click();
  const input = page.locator('.quick-input-widget input.input');
  // The dialog proposes a name when it has looked at the folder, in place of what was typed before.
  await expect.poll(() => input.inputValue()).toMatch(/\.csv$/);
  const target = join(workspace, 'saved.csv');
  const confirm = async () => {
    if (await input.isVisible()) {
      await input.fill(target, { timeout: 500 });
      await input.press('Enter', { timeout: 500 });
    }
    return existsSync(target);
  };
  await expect.poll(() => confirm().catch(() => false), { interval: 500 }).toBe(true);
  expect(readFileSync(target, 'utf8').split('\n').length).toBeGreaterThan(50);
});

test('New Experiment asks for a teacher where a run is finished', async () => {
  await runCommand(page, 'DeepTwist: New Experiment');
  await choose('lenet-300-100');
  await choose('Prune');
  await row('fc2').waitFor();
  await page.keyboard.press('Enter');
  await row('No teacher').waitFor();
  await choose('sample-digits-prune');
  await page.locator('.quick-input-message', { hasText: 'NAME.deeptwist.jsonc' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.tab', { hasText: 'lenet-300-100-prune.deeptwist.jsonc' }).waitFor();
  const file = join(workspace, 'lenet-300-100-prune.deeptwist.jsonc');
  const { experiment, problems } = checkExperiment(readFileSync(file, 'utf8'));
  expect(problems).toEqual([]);
  expect(experiment?.distillation).toMatchObject({ teacher: 'run:sample-digits-prune', temperature: 2, weight: 0.7 });
});
