/** @file Weights beside a model's code, in a real editor: of a real run, while typing, switched off. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { StoredRun } from '../../extension/runs/storedRun.ts';
import type { DeepTwistApi } from '../../extension/workbench.ts';
import { writePointsExperiment, writePointsProblem } from '../fixtures/points.ts';
import { afterAll, beforeAll, describe, eventually, it, removed } from './frame.ts';
import { activate, ended, eventsOfType, folderOf, startRun, stopAll } from './realRuns.ts';

const folder = () => folderOf('weights');
const settings = () => vscode.workspace.getConfiguration('deeptwist.editor');

interface Lens {
  readonly title: string;
  readonly line: number;
  readonly arguments: readonly unknown[];
}

describe('weights beside the code', () => {
  let api: DeepTwistApi;
  let document: vscode.TextDocument;
  let run: StoredRun;

  const start = (steps: number) => startRun(vscode.Uri.file(writePointsExperiment(folder(), 'beside-code', { steps })));
  const lenses = async (): Promise<Lens[]> => {
    const all = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      document.uri,
      100,
    );
    return all
      .filter(({ command }) => command?.command === 'deeptwist.openDashboard')
      .map(({ range, command }) => ({
        title: command!.title,
        line: range.start.line,
        arguments: command!.arguments ?? [],
      }));
  };
  const lensOf = (layer: string, what = /./) =>
    eventually(`the lens of ${layer}`, async () =>
      (await lenses()).find(({ line, title }) => document.lineAt(line).text.includes(layer) && what.test(title)),
    );
  const edit = async (position: vscode.Position, text: string) => {
    const change = new vscode.WorkspaceEdit();
    change.insert(document.uri, position, text);
    assert.ok(await vscode.workspace.applyEdit(change));
  };

  beforeAll(async () => {
    api = await activate();
    writePointsProblem(folder());
    document = await vscode.workspace.openTextDocument(join(folder(), 'model.ts'));
    await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
    run = await start(400);
    await ended(run);
  });

  afterAll(async () => {
    await stopAll(api);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await removed(folder());
  });

  it('have a lens above each layer, with the numbers of the run, that leads to the dashboard', async () => {
    const [finished] = eventsOfType(run, 'finished');
    const size = finished.summary.layers.find(({ name }) => name === 'hidden/kernel')!;
    assert.equal(size.weightsKept, 16);
    const ratio = `${(size.bytes / size.bytesKept).toPrecision(3)}x`;
    // Until the log is read to its end, the lens is that of an earlier distortion.
    const lens = await lensOf(
      "'hidden'",
      new RegExp(`^\\[2, 16\\] · 50% kept · ${ratio} smaller · rate 0\\.5 · error `),
    );
    assert.deepEqual(lens.arguments, [run.key, 'hidden/kernel']);
    assert.equal((await lensOf("'out'")).title, '[16, 2] · not compressed');
    await vscode.commands.executeCommand('deeptwist.openDashboard', ...lens.arguments);
  });

  it('have a picture where the mouse rests on a layer', async () => {
    const at = document.getText().indexOf('dense({ name');
    // Until the log is read to its end, the picture is that of an earlier distortion.
    const text = await eventually('the picture of the last step', async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        'vscode.executeHoverProvider',
        document.uri,
        document.positionAt(at),
      );
      const texts = hovers.flatMap(({ contents }) => contents as vscode.MarkdownString[]).map(({ value }) => value);
      return texts.find((value) => value.includes('hidden/kernel') && value.includes('step 400 of 400'));
    });
    const [, picture] = /\(data:image\/svg\+xml;base64,([^|]+)\|width=\d+,height=\d+\)/.exec(text)!;
    const svg = Buffer.from(picture, 'base64').toString();
    assert.match(svg, /^<svg .*before.*after.*<\/svg>$/);
    assert.match(text, /zeros \d+ → 16 \\\(50%\\\)/);
  });

  it('stay at their layers while somebody types above, and say so once the code is another', async () => {
    const { line } = await lensOf("'hidden'");
    await edit(new vscode.Position(0, 0), '// A comment.\n\n/* Another. */\n');
    const moved = await lensOf("'hidden'");
    assert.equal(moved.line, line + 3);
    assert.doesNotMatch(moved.title, /changed/);
    await edit(new vscode.Position(0, 0), 'const changed = 1;\n');
    const other = await lensOf("'hidden'", /changed since the run/);
    assert.equal(other.line, line + 4);
    const undo = new vscode.WorkspaceEdit();
    undo.delete(document.uri, new vscode.Range(0, 0, 4, 0));
    assert.ok(await vscode.workspace.applyEdit(undo));
    assert.equal((await lensOf("'hidden'", /^\[/)).line, line);
  });

  it('are switched off by the setting, and on again', async () => {
    await lensOf("'hidden'");
    await settings().update('showWeights', false, vscode.ConfigurationTarget.Workspace);
    await eventually('the lenses to go', async () => (await lenses()).length === 0);
    await settings().update('showWeights', undefined, vscode.ConfigurationTarget.Workspace);
    await lensOf("'hidden'");
    await settings().update('weightMarks', { lens: false }, vscode.ConfigurationTarget.Workspace);
    await eventually('the lenses to go', async () => (await lenses()).length === 0);
    await settings().update('weightMarks', undefined, vscode.ConfigurationTarget.Workspace);
    await lensOf("'hidden'");
  });

  it('follow a run while it trains', async () => {
    const live = await start(400_000);
    const rates = new Set<string>();
    await eventually('three different rates', async () => {
      const hidden = (await lenses()).find(({ arguments: [key, weight] }) => key === live.key && weight !== undefined);
      const rate = hidden && /% kept · would be .* smaller · rate ([\d.]+) ▲/.exec(hidden.title)?.[1];
      if (rate) rates.add(rate);
      return rates.size >= 3;
    });
    await vscode.commands.executeCommand('deeptwist.stop', live.key);
    await eventually('the end of the run', () => !live.isActive && !live.live);
    const seen = [...rates].map(Number);
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
  });
});
