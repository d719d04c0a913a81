/** @file Weights beside PyTorch code, in a real editor: of a real run of the ONNX model that the code exported. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { StoredRun } from '../../extension/runs/storedRun.ts';
import type { DeepTwistApi } from '../../extension/workbench.ts';
import { writePointsExperiment, writePointsProblem } from '../fixtures/points.ts';
import { graphFile, node, seededFloats } from '../unit/models/onnx/onnxFiles.ts';
import { afterAll, beforeAll, describe, eventually, it, removed } from './frame.ts';
import { activate, ended, folderOf, startRun, stopAll } from './realRuns.ts';

const { randomFloats } = seededFloats();

const folder = () => folderOf('python');

const code = `from torch import nn


class SmallNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 16)
        self.out = nn.Linear(16, 2)

    def forward(self, x):
        return self.out(self.fc1(x).relu())
`;

const linear = (input: string, name: string, output: string) =>
  node('Gemm', [input, `${name}.weight`, `${name}.bias`], output, { transB: { int: 1 } });

describe('weights beside PyTorch code', () => {
  let api: DeepTwistApi;
  let document: vscode.TextDocument;
  let run: StoredRun;

  const lensOf = (text: string, title = /./) =>
    eventually(`the lens of ${text}`, async () => {
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        document.uri,
        100,
      );
      const own = lenses.find(({ range, command }) => command && document.lineAt(range.start).text.includes(text));
      // Until the log is read to its end, the lens is that of an earlier distortion.
      return own?.command && title.test(own.command.title) && own.command;
    });

  beforeAll(async () => {
    api = await activate();
    writePointsProblem(folder());
    const tensors = {
      'fc1.weight': randomFloats([16, 2]),
      'fc1.bias': randomFloats([16]),
      'out.weight': randomFloats([2, 16]),
      'out.bias': randomFloats([2]),
    };
    const nodes = [linear('x', 'fc1', 'h'), node('Relu', ['h'], 'r'), linear('r', 'out', 'y')];
    writeFileSync(join(folder(), 'net.onnx'), graphFile({ nodes, tensors, input: ['batch', 2] }));
    mkdirSync(join(folder(), 'other'));
    writeFileSync(join(folder(), 'net.py'), code);
    writeFileSync(join(folder(), 'other', 'net.py'), code.replaceAll('fc1', 'first').replaceAll('out', 'last'));
    document = await vscode.workspace.openTextDocument(join(folder(), 'net.py'));
    await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
    const file = writePointsExperiment(folder(), 'net', {
      model: 'net.onnx',
      layer: 'fc1',
      loss: 'sparse-categorical-crossentropy-from-logits',
    });
    run = await startRun(vscode.Uri.file(file));
    await ended(run);
  });

  afterAll(async () => {
    await stopAll(api);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await removed(folder());
  });

  it('have a lens at the line of each module, that leads to its weight in the dashboard', async () => {
    const compressed = await lensOf('self.fc1', /^\[16, 2\] · 50% kept · .* smaller · rate 0\.5 · error /);
    assert.deepEqual(compressed.arguments, [run.key, 'fc1.weight']);
    await lensOf('self.out', /^\[2, 16\] · not compressed/);
  });

  it('have a picture where the mouse rests on nn.Linear, and on the name of the module', async () => {
    const hoverAt = (text: string) =>
      eventually(`the picture at ${text}`, async () => {
        const position = document.positionAt(code.indexOf(text) + 1);
        const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
          'vscode.executeHoverProvider',
          document.uri,
          position,
        );
        const texts = hovers.flatMap(({ contents }) => contents as vscode.MarkdownString[]).map(({ value }) => value);
        return texts.find((value) => value.includes('fc1.weight') && value.includes('step 400 of 400'));
      });
    for (const text of ['nn.Linear(2, 16)', 'fc1 = ']) {
      const hover = await hoverAt(text);
      const [, picture] = /\(data:image\/svg\+xml;base64,([^|]+)\|/.exec(hover)!;
      assert.match(Buffer.from(picture, 'base64').toString(), /^<svg .*before.*after.*<\/svg>$/);
    }
  });

  it('are not shown beside the code of another model', async () => {
    await lensOf('self.fc1');
    const other = await vscode.workspace.openTextDocument(join(folder(), 'other', 'net.py'));
    await vscode.window.showTextDocument(other, vscode.ViewColumn.Two);
    // The runs are looked at for both files at once: the first has its lenses again when the second was looked at.
    await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
    await lensOf('self.fc1');
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      other.uri,
      9,
    );
    assert.deepEqual(
      lenses.map(({ command }) => command?.title),
      [],
    );
  });
});
