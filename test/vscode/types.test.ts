/** @file Types of TensorFlow.js in models beside which nothing is installed, in a real editor. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { afterAll, beforeAll, describe, eventually, it, removed } from './frame.ts';
import { activate, folderOf } from './realRuns.ts';

const folder = () => folderOf('types');

const layers = `tf.layers.dense({ name: 'fc1', units: 3, inputShape: [2] })`;
const texts = {
  'model.ts': `import * as tf from '@tensorflow/tfjs';
export function createModel(): tf.LayersModel {
  const units: string = 3;
  return tf.sequential({ layers: [${layers}] });
}
export const of = (layer: tf.layers.Layer) => tf.layers.
`,
  'model.js': `// @ts-check
import * as tf from '@tensorflow/tfjs';
export const createModel = () => tf.sequential({ layers: [${layers}] });
createModel().fit(1);
`,
};

describe('the types of TensorFlow.js', () => {
  const open = async (name: keyof typeof texts) => {
    const document = await vscode.workspace.openTextDocument(join(folder(), name));
    await vscode.window.showTextDocument(document);
    return document;
  };
  /** Once TypeScript has found what is really wrong in the file. */
  const problemsOf = (document: vscode.TextDocument, wrong: RegExp) =>
    eventually(`the problems of ${document.fileName}`, () => {
      const found = vscode.languages.getDiagnostics(document.uri);
      return found.some(({ message }) => wrong.test(message)) && found;
    });
  const codes = (problems: readonly vscode.Diagnostic[]) =>
    problems.map(({ code }) => (typeof code === 'object' ? code.value : code));

  beforeAll(async () => {
    await activate();
    mkdirSync(folder(), { recursive: true });
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder(), name), text);
  });

  afterAll(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await removed(folder());
  });

  it('are there without an installation: the import is not red, and mistakes are found', async () => {
    const problems = await problemsOf(await open('model.ts'), /Type 'number' is not assignable to type 'string'/);
    assert.deepEqual(
      codes(problems).filter((code) => code === 2307 || code === 7016),
      [],
    );
  });

  it('complete the layers', async () => {
    const document = await open('model.ts');
    const at = document.positionAt(document.getText().lastIndexOf('tf.layers.') + 'tf.layers.'.length);
    const labels = await eventually('the layers', async () => {
      const { items } = await vscode.commands.executeCommand<vscode.CompletionList>(
        'vscode.executeCompletionItemProvider',
        document.uri,
        at,
      );
      const found = items.map(({ label }) => (typeof label === 'string' ? label : label.label));
      return found.includes('dense') && found;
    });
    for (const name of ['conv2d', 'lstm', 'batchNormalization']) assert.ok(labels.includes(name), name);
  });

  it('are there in JavaScript, too', async () => {
    const problems = await problemsOf(await open('model.js'), /Expected 2-3 arguments/);
    assert.deepEqual(
      codes(problems).filter((code) => code === 2307 || code === 7016),
      [],
    );
  });
});
