/** @file What becomes of runs when VS Code is closed, keys in the tree, and what can be done in a folder that is not trusted. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openFile, runCommand, webview } from '../../scripts/editor/workbench.js';
import { EXPERIMENT, EditorSession, eventsOf, recordOf } from './editorSession.ts';

let session: EditorSession | undefined;

afterEach(async () => {
  for (const run of session?.runs() ?? []) {
    const { state, process: trainer } = recordOf(run);
    if (state === 'running' && trainer) process.kill(trainer.pid, 'SIGTERM');
    await expect.poll(() => recordOf(run).state).toBe('stopped');
  }
  await session?.dispose();
});

const lastStep = (run: string) => eventsOf(run).at(-1)?.step ?? 0;

test('VS Code is closed and opened again while a run is trained: it goes on, and is shown with all its events', async () => {
  session = await EditorSession.open();
  session.setSteps(20_000);
  const first = await session.window();
  await openFile(first, EXPERIMENT);
  await runCommand(first, 'DeepTwist: Run Experiment');
  await expect.poll(() => session!.runs().length).toBe(1);
  const [run] = session.runs();
  await expect.poll(() => lastStep(run)).toBeGreaterThan(0);
  await session.close();

  const { pid } = recordOf(run).process!;
  const closed = lastStep(run);
  await session.start();
  const second = await session.window({ width: 1400, height: 900 });
  await runCommand(second, 'DeepTwist: Open Dashboard to the Side');
  await expect
    .poll(() => webview(second).locator('header.page-head').innerText())
    .toMatch(/lenet-300-100-prune[\s\S]*Training/);
  expect(recordOf(run).process?.pid).toBe(pid);
  expect(lastStep(run)).toBeGreaterThan(closed);
  expect(eventsOf(run).filter(({ type }) => type === 'started')).toHaveLength(1);
});

test('a key for runs does nothing where the row of an experiment is selected', async () => {
  session = await EditorSession.open();
  const page = await session.window();
  await page.locator('.activitybar .action-label[aria-label^="DeepTwist"]').first().click();
  await page.getByRole('treeitem', { name: 'lenet-300-100-prune', exact: true }).click();
  // VS Code tells extensions a little later which row is selected.
  await expect
    .poll(async () => {
      await page.keyboard.press('F2');
      return page.locator('.statusbar').innerText();
    })
    .toContain('No run is selected.');
});

test('in Restricted Mode nothing is run, no model either, and the reason is said; experiment files are still checked', async () => {
  session = await EditorSession.open({ trust: false });
  session.setSteps(4001);
  const page = await session.window();
  await openFile(page, EXPERIMENT);
  await page.locator('.activitybar .action-label[aria-label^="DeepTwist"]').first().click();
  await page.getByRole('treeitem', { name: 'lenet-300-100-prune', exact: true }).waitFor();
  await expect.poll(() => webview(page).locator('body').innerText()).toMatch(/not trusted|Restricted Mode/);
  await page.locator('.squiggly-info').waitFor();
  expect(session.runs()).toEqual([]);
  expect(existsSync(join(session.workspace, 'mnist', '.deeptwist'))).toBe(false);
});
