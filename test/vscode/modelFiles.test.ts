/** @file Model files in editors of a real VS Code: each kind, damaged, changed while it is open, and gone. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ModelFileSession } from '../../extension/modelFiles/modelFileSession.ts';
import type { DeepTwistApi } from '../../extension/workbench.ts';
import { DenseWeight } from '../../server/formats/packed/dense.ts';
import { encodePacked, type PackedWeight } from '../../server/formats/packed/packedFile.ts';
import { SparseWeight } from '../../server/formats/packed/sparse.ts';
import { afterAll, beforeAll, describe, eventually, it, removed } from './frame.ts';
import { activate, folderOf } from './realRuns.ts';

const VIEW = 'deeptwist.modelFile';
const folder = () => folderOf('model-files');

describe('model files in the editor', () => {
  let api: DeepTwistApi;
  const fixtures = () => join(vscode.extensions.getExtension('deeptwist.deeptwist')!.extensionPath, 'test', 'unit');
  const uriOf = (name: string) => vscode.Uri.file(join(folder(), name));
  const sessionOf = (name: string): ModelFileSession | undefined =>
    [...api.modelFiles.sessions].find(({ uri }) => uri.toString() === uriOf(name).toString());
  const open = async (name: string) => {
    await vscode.commands.executeCommand('vscode.openWith', uriOf(name), VIEW);
    return eventually(`the editor of ${name}`, () => sessionOf(name));
  };
  /** Opens a file and waits until its page was told the statistics of all tensors that can be read. */
  const read = async (name: string) => {
    const session = await open(name);
    const file = await eventually(`the tensors of ${name}`, () => session.file);
    const readable = file.tensors.filter(({ problem }) => problem === undefined);
    await eventually(`the numbers of ${name}`, () => session.statisticsTold >= readable.length);
    return file;
  };
  const write = (name: string, content: Uint8Array | string) => writeFileSync(join(folder(), name), content);

  beforeAll(async () => {
    api = await activate();
    mkdirSync(folder(), { recursive: true });
    const copy = (path: string, name: string) => copyFileSync(join(fixtures(), path), join(folder(), name));
    copy('formats/fixtures/all-types.safetensors', 'all-types.safetensors');
    copy('formats/fixtures/f4.npy', 'f4.npy');
    copy('formats/fixtures/two.npz', 'two.npz');
    copy('inspect/fixtures/all-types.onnx', 'all-types.onnx');
    const weights = new Map<string, PackedWeight>([
      ['fc/kernel', SparseWeight.of([4, 30], new Float32Array(120).fill(2, 60, 62))],
      ['fc/bias', new DenseWeight([30], new Float32Array(30))],
    ]);
    write('packed.safetensors', encodePacked(weights));
    const manifest = [{ paths: ['weights.bin'], weights: [{ name: 'fc/kernel', shape: [2], dtype: 'float32' }] }];
    write('model.json', JSON.stringify({ format: 'layers-model', modelTopology: {}, weightsManifest: manifest }));
    write('weights.bin', new Uint8Array(8));
  });

  afterAll(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await eventually('the editors to close', () => api.modelFiles.sessions.size === 0);
    await removed(folder());
  });

  for (const [name, format, tensors] of [
    ['all-types.safetensors', 'safetensors', 7],
    ['packed.safetensors', 'packed safetensors', 2],
    ['all-types.onnx', 'ONNX', 38],
    ['two.npz', 'NumPy archive', 2],
    ['f4.npy', 'NumPy array', 1],
    ['model.json', 'TensorFlow.js model', 1],
  ] as const)
    it(`${name}: its page asks for the numbers of all tensors, and gets them`, async () => {
      const file = await read(name);
      assert.equal(file.format, format);
      assert.equal(file.tensors.length, tensors);
    });

  it('a model.json is opened as text unless it is asked for', async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await vscode.commands.executeCommand('vscode.open', uriOf('model.json'));
    assert.equal(vscode.window.activeTextEditor?.document.uri.fsPath, uriOf('model.json').fsPath);
  });

  it('a damaged file is told of in place of the table', async () => {
    const whole = readFileSync(join(folder(), 'all-types.safetensors'));
    write('cut.safetensors', whole.subarray(0, 900));
    const session = await open('cut.safetensors');
    const problem = await eventually('the problem', () => session.problem);
    assert.match(problem, /cut\.safetensors is not usable: .*is cut off/);
  });

  it('a file that changes is read again; one that goes is told of, until it comes back', async () => {
    copyFileSync(join(folder(), 'f4.npy'), join(folder(), 'changing.npy'));
    const [tensor] = (await read('changing.npy')).tensors;
    assert.equal(tensor.dtype, 'float32');
    const session = sessionOf('changing.npy')!;
    copyFileSync(join(fixtures(), 'formats', 'fixtures', 'f8.npy'), join(folder(), 'changing.npy'));
    await eventually('the other type', () => session.file?.tensors[0].dtype === 'float64');
    rmSync(join(folder(), 'changing.npy'));
    assert.match(await eventually('that it is gone', () => session.problem), /there is no such file/);
    copyFileSync(join(folder(), 'f4.npy'), join(folder(), 'changing.npy'));
    await eventually('the file again', () => session.file?.tensors[0].dtype === 'float32');
  });

  it('an editor that is closed leaves its thread', async () => {
    await read('two.npz');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await eventually('the editors to close', () => api.modelFiles.sessions.size === 0);
  });
});
