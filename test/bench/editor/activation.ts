/**
 * @file How long the extension takes to activate, as VS Code measures it of every extension: the call of `activate` and what
 * it waits for, without loading its entry file. Each window has an extension host of its own.
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { startEditor } from '../../../scripts/editor/serve.js';
import { launchBrowser, openWorkbench, runCommand } from '../../../scripts/editor/workbench.js';
import { root } from '../../../scripts/root.js';
import { beside, median, type Limited } from '../bench.ts';
import { EXPERIMENT } from '../../e2e/editorSession.ts';
import { until } from './until.ts';

const WINDOWS = 5;
/** The table of activations stands below other things, in an editor that has no lines but those in its window. */
const TALL = { width: 1400, height: 4000 };
const REST_MS = 2000;

export async function measureActivation(): Promise<Limited[]> {
  const folder = join(tmpdir(), 'activation');
  const [empty, withExperiment] = ['empty', 'experiment'].map((name) => join(folder, name));
  for (const path of [empty, withExperiment]) mkdirSync(path, { recursive: true });
  cpSync(join(root, 'examples', 'mnist', EXPERIMENT), join(withExperiment, EXPERIMENT));
  const editor = await startEditor();
  const browser = await launchBrowser();
  const open = (path: string) => openWorkbench(browser, editor.url({ folder: path, extension: root }), TALL);

  const atStart = async () => {
    const page = await open(withExperiment);
    const time = await activationTime(page);
    await page.context().close();
    return time;
  };
  const atRest = async () => {
    const page = await open(empty);
    await sleep(REST_MS);
    await runCommand(page, 'DeepTwist: Copy Diagnostics');
    const time = await activationTime(page);
    await page.context().close();
    return time;
  };
  try {
    await atStart(); // The first finds no file of the editor in memory.
    const start: number[] = [];
    const rest: number[] = [];
    for (let window = 0; window < WINDOWS; window++) {
      start.push(await atStart());
      rest.push(await atRest());
    }
    console.log(`  at the start of a window ${start.join(', ')} ms; in a window at rest ${rest.join(', ')} ms`);
    return [
      beside(30, 'activation, at the start of a window', median(start), 'ms'),
      beside(30, 'activation, by a command in a window at rest', median(rest), 'ms'),
    ];
  } finally {
    await browser.close();
    await editor.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From the table that *Developer: Startup Performance* shows: the call and the end of `activate`, milliseconds. */
async function activationTime(page: Page): Promise<number> {
  const line = /deeptwist\.deeptwist +\| +\w+ +\| +\d+ +\| +(\d+) +\| +(\d+)/;
  const lines = page.locator('.editor-instance .view-lines').last();
  // The table is of the moment at which it is opened.
  return until("the extension's line in Developer: Startup Performance", async () => {
    await runCommand(page, 'Developer: Startup Performance');
    const read = async () => line.exec((await lines.innerText()).replaceAll('\u00a0', ' ')) ?? undefined;
    const found = await until('the line', read, { patience: 3000 }).catch(() => undefined);
    if (found) return Number(found[1]) + Number(found[2]);
    await page.locator('.tab .codicon-close').first().click();
    return undefined;
  });
}
