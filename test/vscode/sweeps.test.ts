/** @file Sweeps in a real editor: run in the terminal, shown in the tree and on a page, used in the file; and the sensitivity of a run. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import type { SweepNode, TreeNode } from '../../extension/experiments/experimentsTree.ts';
import type { DeepTwistApi } from '../../extension/workbench.ts';
import type { SensitivityReport } from '../../server/protocol/run/sensitivityReport.ts';
import { writePointsExperiment, writePointsProblem } from '../fixtures/points.ts';
import { afterAll, beforeAll, describe, eventually, it, removed } from './frame.ts';
import { activate, folderOf, stopAll } from './realRuns.ts';

const folder = () => folderOf('sweeps');
const sweep = { vary: { 'compression.layers.hidden.rate': [0.25, 0.75], 'training.seed': [1, 2] } };

describe('a sweep', () => {
  let api: DeepTwistApi;
  let file: string;

  const childrenOf = async (wanted?: TreeNode) => api.tree.getChildren(wanted);
  const sweepNode = async (): Promise<SweepNode | undefined> => {
    const experiment = (await childrenOf()).find((node) => node.kind === 'experiment' && node.experiment.file === file);
    const below = experiment && (await childrenOf(experiment));
    return below?.find((node): node is SweepNode => node.kind === 'sweep');
  };
  const descriptionOf = async (node: TreeNode | undefined) => (node ? String((await api.tree.getTreeItem(node)).description) : ''); // prettier-ignore
  const rows = async () => {
    const node = await sweepNode();
    return node ? (await api.sweeps.read(node.path)).rows : [];
  };

  beforeAll(async () => {
    api = await activate();
    writePointsProblem(folder());
    file = writePointsExperiment(folder(), 'swept', { steps: 100 });
    const settings = JSON.parse(readFileSync(file, 'utf8')) as { data: object };
    const text = JSON.stringify(
      { ...settings, data: { ...settings.data, split: { validation: 0.2 } }, sweep },
      null,
      2,
    );
    writeFileSync(file, text.replace('"rate": 0.5', '"rate": 0.5 // to begin with'));
  });

  afterAll(async () => {
    for (const execution of vscode.tasks.taskExecutions) execution.terminate();
    await stopAll(api);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await removed(folder());
  });

  it('is run in a terminal, and is one row of the tree with what came of it', async () => {
    const lenses = await eventually('the lens of the sweep', async () => {
      await vscode.window.showTextDocument(vscode.Uri.file(file));
      const found = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', vscode.Uri.file(file)); // prettier-ignore
      const runs = found?.filter(({ command }) => command?.command === 'deeptwist.runSweep');
      return runs?.length ? runs : undefined;
    });
    const { command } = lenses[0];
    assert.ok(command);
    await vscode.commands.executeCommand(command.command, ...(command.arguments as unknown[]));
    await eventually('all runs to be finished', async () => {
      await api.store.rescan();
      return /^4 of 4 finished · best /.test(await descriptionOf(await sweepNode()));
    });
  });

  it('has its runs below it, by what varies', async () => {
    const node = await sweepNode();
    const items = await Promise.all((await childrenOf(node)).map((child) => api.tree.getTreeItem(child)));
    assert.deepEqual(
      items.map(({ label }) => label),
      ['rate 0.25, seed 1', 'rate 0.25, seed 2', 'rate 0.75, seed 1', 'rate 0.75, seed 2'],
    );
    const [run] = await childrenOf(node);
    assert.equal(api.tree.getParent(run), node);
    assert.ok(items.every(({ contextValue }) => contextValue?.startsWith('run.finished')));
  });

  it('is shown on a page, whose notes are kept in its folder', async () => {
    const node = await sweepNode();
    await vscode.commands.executeCommand('deeptwist.openSweep', node);
    const session = await eventually('the page', () => api.sweepPanels.sessions.get(node!.path));
    await eventually('the page to have the sweep', () => session.sweep?.rows.length === 4);
    const runs = [(await rows())[2].key];
    await session.perform({ type: 'note', runs, change: { pinned: true, text: 'see again' } });
    assert.match(readFileSync(join(node!.path, 'notes.json'), 'utf8'), /"text": "see again"/);
    await eventually('the note on the page', () => session.sweep?.rows[2].note?.pinned);
  });

  it('has the values of a run written into the file, which undo takes back', async () => {
    const node = await sweepNode();
    const session = await eventually('the page', () => api.sweepPanels.sessions.get(node!.path));
    const before = readFileSync(file, 'utf8');
    await session.perform({ type: 'use', run: (await rows())[3].key });
    const document = vscode.window.activeTextEditor!.document;
    assert.equal(document.uri.fsPath, file);
    // The seed is not among them.
    assert.equal(document.getText(), before.replace('"rate": 0.5 // to', '"rate": 0.75 // to'));
    await vscode.commands.executeCommand('undo');
    await eventually('the text as it was', () => document.getText() === before);
  });

  it('is gone on with by a task of its folder, which is no run of the experiment', async () => {
    const tasks = join(vscode.workspace.workspaceFolders![0].uri.fsPath, '.vscode', 'tasks.json');
    const { path } = (await sweepNode())!;
    const task = {
      label: 'the sweep',
      type: 'deeptwist',
      experiment: 'sweeps-test/swept.deeptwist.jsonc',
      sweep: path,
    };
    mkdirSync(dirname(tasks), { recursive: true });
    writeFileSync(tasks, JSON.stringify({ version: '2.0.0', tasks: [task] }));
    try {
      const ended = new Promise<vscode.TaskProcessEndEvent>((resolve) => {
        const listener = vscode.tasks.onDidEndTaskProcess((event) => {
          listener.dispose();
          resolve(event);
        });
      });
      const found = await eventually('the task', async () =>
        (await vscode.tasks.fetchTasks({ type: 'deeptwist' })).find(({ name }) => name === 'the sweep'),
      );
      await vscode.tasks.executeTask(found);
      assert.equal((await ended).exitCode, 0);
      assert.equal(readdirSync(join(folder(), '.deeptwist', 'runs')).length, 4);
    } finally {
      rmSync(tasks);
    }
  });

  it('that is finished is not gone on with', async () => {
    assert.equal(await vscode.commands.executeCommand('deeptwist.continueSweep', await sweepNode()), undefined);
    await vscode.commands.executeCommand('notifications.clearAll');
  });

  it('has runs whose sensitivity is measured and shown', async () => {
    const run = (await rows())[0].key;
    const report = await vscode.commands.executeCommand<SensitivityReport | undefined>('deeptwist.measureSensitivity', run, 0.05); // prettier-ignore
    assert.deepEqual(
      report?.weights.map(({ key }) => key),
      ['hidden', 'out'],
    );
    assert.equal(report.suggestion?.maxDrop, 0.05);
    const tab = () => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).find(({ label }) => label.startsWith('Sensitivity of')); // prettier-ignore
    assert.ok(await eventually('the page of the report', tab));
  });
});
