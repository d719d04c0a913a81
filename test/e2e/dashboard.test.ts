/** @file A user's day in a real VS Code: run, watch, stop, edit, rerun, compare, reload, kill, resume; by mouse and keyboard. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFile, runCommand, webview } from '../../scripts/editor/workbench.js';
import { shortest } from '../until.ts';
import { EXPERIMENT, EditorSession, eventsOf, recordOf } from './editorSession.ts';
import { reloadWindow } from './reloadWindow.ts';

let session: EditorSession;
let page: Page;
const dashboard = () => webview(page);

/** What the page's head says. A browser without a screen draws a frame for who asks for one. */
async function stateText(window = page): Promise<string> {
  const head = webview(window).locator('.page-head');
  await head.evaluate(() => new Promise(requestAnimationFrame));
  return head.innerText();
}

/** Waits until the run of that number (from 0) is in the state. */
const ended = (index: number, state: string) => expect.poll(() => recordOf(session.runs()[index]).state).toBe(state);

beforeAll(async () => {
  session = await EditorSession.open({ settings: { 'deeptwist.notifications': 'all' } });
  page = await session.window({ width: 1500, height: 950 });
});

afterAll(async () => {
  for (const run of session?.runs() ?? []) {
    const { state, process: trainer } = recordOf(run);
    if (state === 'running' && trainer) process.kill(trainer.pid, 'SIGKILL');
  }
  await session?.dispose();
});

test('a run starts from the palette, and its curves move', async () => {
  await openFile(page, EXPERIMENT);
  await runCommand(page, 'DeepTwist: Open Dashboard to the Side');
  await page.locator('.tab', { hasText: EXPERIMENT }).first().click();
  session.setSteps(20_000);
  await runCommand(page, 'DeepTwist: Run Experiment');
  await expect.poll(() => session.runs().length).toBe(1);
  await dashboard().getByRole('tab', { name: 'Curves' }).click();
  await expect.poll(() => stateText()).toMatch(/Training/);
  const seen = new Set<string>();
  const values = new Set<string>();
  const legend = dashboard().locator('.legend').first();
  await expect
    .poll(async () => {
      seen.add(/[\d,]+\sof\s[\d,]+/.exec(await stateText())?.[0] ?? '');
      values.add(await legend.innerText());
      return Math.min(seen.size, values.size);
    })
    .toBeGreaterThan(3);
  expect(await page.locator('.statusbar').innerText()).toMatch(/lenet-300-100-prune/);
});

test('a window that is loaded again shows every event and the view that was open; the run goes on', async () => {
  const [run] = session.runs();
  await dashboard().getByRole('tab', { name: 'Weights' }).click();
  const { pid } = recordOf(run).process!;
  await reloadWindow(page, /tab[\\"]+:[\\"]+weights/);
  await expect.poll(() => stateText()).toMatch(/Training|Finished/);
  expect(recordOf(run).process?.pid ?? pid).toBe(pid);
  await expect.poll(() => dashboard().getByRole('tab', { name: 'Weights' }).getAttribute('aria-selected')).toBe('true');
  const events = eventsOf(run);
  expect(events.filter(({ type }) => type === 'started')).toHaveLength(1);
  const steps = events.filter(({ type }) => type === 'metrics').map(({ step }) => step);
  expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
});

test('the slider goes through the recorded distortions', async () => {
  const recorded = () => eventsOf(session.runs()[0]).filter(({ type }) => type === 'distortion').length;
  await expect.poll(recorded).toBeGreaterThan(3);
  const slider = dashboard().locator('input[type=range]').first();
  await slider.waitFor();
  const place = dashboard()
    .getByText(/step [\d,]+ \(\d+ of \d+\)/)
    .first();
  await expect.poll(() => place.innerText()).toMatch(/\(\d+ of/);
  await slider.focus();
  await page.keyboard.press('Home');
  await expect.poll(() => place.innerText()).toMatch(/\(1 of/);
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => place.innerText()).toMatch(/\(2 of/);
});

test('Stop stops it, with a checkpoint', async () => {
  if (recordOf(session.runs()[0]).state === 'running') {
    await dashboard().getByRole('button', { name: 'Stop' }).first().click();
    await ended(0, 'stopped');
    expect(eventsOf(session.runs()[0]).at(-1)?.type).toBe('stopped');
  }
  await expect.poll(() => stateText()).toMatch(/Stopped|Finished/);
});

test('a value is edited, and the experiment run again and compared with the first run', async () => {
  const file = join(session.workspace, 'mnist', EXPERIMENT);
  session.setSteps(2000);
  writeFileSync(file, readFileSync(file, 'utf8').replace('"fc1": { "rate": 0.987 }', '"fc1": { "rate": 0.95 }'));
  await page.locator('.tab', { hasText: EXPERIMENT }).first().click();
  await runCommand(page, 'DeepTwist: Run Experiment');
  await expect.poll(() => session.runs().length).toBe(2);
  await ended(1, 'finished');
  await expect.poll(() => stateText()).toMatch(/Finished/);

  await runCommand(page, 'DeepTwist: Compare Runs');
  const choices = page.locator('.quick-input-list .monaco-list-row');
  await expect.poll(() => choices.count()).toBe(2);
  for (const choice of await choices.all()) await choice.click();
  await page.keyboard.press('Enter');
  await dashboard().getByRole('tab', { name: 'Compare' }).click();
  await expect.poll(() => dashboard().locator('main').innerText()).toMatch(/Fewer weights by[^]*\brate\b/);
});

test('a killed process is told of within a second, with Resume', async () => {
  session.setSteps(20_000);
  await page.locator('.tab', { hasText: EXPERIMENT }).first().click();
  await runCommand(page, 'DeepTwist: Run Experiment');
  await expect.poll(() => session.runs().length).toBe(3);
  const run = session.runs()[2];
  await expect.poll(() => stateText()).toMatch(/Training/);
  await expect.poll(() => eventsOf(run).some(({ type }) => type === 'metrics')).toBe(true);
  const toast = page.locator('.notifications-toasts').getByText(/ended before its run did/);
  const told = await shortest(1000, async () => {
    const { pid } = recordOf(run).process!;
    const killed = performance.now();
    process.kill(pid, 'SIGKILL');
    await toast.waitFor();
    const took = performance.now() - killed;
    await page.locator('.notifications-toasts').getByRole('button', { name: 'Resume' }).click();
    await toast.waitFor({ state: 'hidden' });
    // What was killed has left its own record of a run that trains.
    await expect.poll(() => recordOf(run).process?.pid ?? pid).not.toBe(pid);
    await expect.poll(() => stateText()).toMatch(/Training/);
    return took;
  });
  expect(told).toBeLessThan(1000);
  expect(recordOf(run).state).toBe('running');
});

test('a second window on the folder shows the same run; one process trains it', async () => {
  const other = await session.window();
  await other.locator('.statusbar', { hasText: 'lenet-300-100-prune' }).waitFor();
  await runCommand(other, 'DeepTwist: Open Dashboard to the Side');
  await expect.poll(() => webview(other).locator('.page-head').innerText()).toMatch(/Training/);
  expect(session.runs()).toHaveLength(3);
  await webview(other).getByRole('button', { name: 'Stop' }).first().click();
  await ended(2, 'stopped');
  await expect.poll(() => stateText()).toMatch(/Stopped/);
  await other.close();
});

test('the dashboard follows the theme', async () => {
  const background = () =>
    dashboard()
      .locator('body')
      .evaluate((body) => getComputedStyle(body).getPropertyValue('--vscode-editor-background'));
  const light = await background();
  await runCommand(page, 'Preferences: Toggle between Light/Dark Themes');
  await expect.poll(background).not.toBe(light);
});
