/** @file Links to runs, opened as a browser or another program opens them: by the address, through VS Code's own handling of it. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import type { StoredRun } from '../../extension/runs/storedRun.ts';
import type { DeepTwistApi } from '../../extension/workbench.ts';
import { writePointsExperiment, writePointsProblem } from '../fixtures/points.ts';
import { afterAll, beforeAll, describe, eventually, it, removed } from './frame.ts';
import { activate, ended, folderOf, startRun, stopAll } from './realRuns.ts';

const folder = () => folderOf('links');
type Shown = Parameters<DeepTwistApi['dashboards']['open']>;

describe('a link to a run', () => {
  let api: DeepTwistApi;
  let run: StoredRun;
  let shown: Shown[] = [];

  beforeAll(async () => {
    api = await activate();
    writePointsProblem(folder());
    run = await startRun(vscode.Uri.file(writePointsExperiment(folder(), 'linked', { steps: 10 })));
    await ended(run);
    // VS Code asks before it gives a link to an extension; a person can say so for good, by this setting.
    await vscode.workspace
      .getConfiguration('extensions')
      .update('confirmedUriHandlerExtensionIds', ['deeptwist.deeptwist'], vscode.ConfigurationTarget.Global);
    const { dashboards } = api;
    const open = dashboards.open.bind(dashboards);
    dashboards.open = (...wanted) => {
      shown.push(wanted);
      return open(...wanted);
    };
  });

  afterAll(async () => {
    Reflect.deleteProperty(api.dashboards, 'open');
    await stopAll(api);
    await vscode.commands.executeCommand('notifications.clearAll');
    await removed(folder());
  });

  /** Opens a link, and after it that of the run: what the first one shows is shown before. */
  async function shownBy(link: string): Promise<Shown[]> {
    shown = [];
    await vscode.commands.executeCommand('vscode.open', vscode.Uri.parse(link));
    await vscode.commands.executeCommand('vscode.open', vscode.Uri.parse(linkTo(run.run.id)));
    await eventually('the run', () => shown.at(-1)?.[0]?.[0] === run.key);
    return shown.slice(0, -1);
  }

  const linkTo = (id: string) => `${vscode.env.uriScheme}://deeptwist.deeptwist/open?run=${encodeURIComponent(id)}`;

  it('is copied, and shows the run, on wish at a weight', async () => {
    await vscode.commands.executeCommand('deeptwist.copyRunLink', run.key);
    const link = await vscode.env.clipboard.readText();
    assert.equal(link, linkTo(run.run.id));
    assert.deepEqual(await shownBy(link), [[[run.key], undefined]]);
    assert.deepEqual(await shownBy(`${link}&weight=hidden%2Fkernel`), [[[run.key], { tab: 'weights', weight: 'hidden/kernel' }]]); // prettier-ignore
  });

  it('shows nothing of another folder, and no path', async () => {
    const elsewhere = join(dirname(run.key), '..', 'elsewhere', run.run.id);
    mkdirSync(elsewhere, { recursive: true });
    for (const id of [`../elsewhere/${run.run.id}`, elsewhere, run.key, '.', '..', ''])
      assert.deepEqual(await shownBy(linkTo(id)), [], id);
    assert.deepEqual(await shownBy(linkTo(run.run.id).replace('/open?', '/delete?')), []);
  });
});
