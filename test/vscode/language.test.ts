/** @file The language server as a user meets it: problems while one types, their quick fixes, and the server's restart. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { writePointsExperiment, writePointsProblem } from '../fixtures/points.ts';
import { afterAll, beforeAll, describe, eventually, it, removed } from './frame.ts';
import { codeAction } from './requests.ts';
import { ended, folderOf, startRun } from './realRuns.ts';

const folder = () => folderOf('language');

function problemsOf(uri: vscode.Uri): vscode.Diagnostic[] {
  return vscode.languages.getDiagnostics(uri);
}

/** All problems of the file, when one of them has the code. */
function problemWith(document: vscode.TextDocument, code: string): Promise<vscode.Diagnostic> {
  return eventually(code, () => problemsOf(document.uri).find((problem) => problem.code === code));
}

/** Language servers of this window. */
function servers(): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(process.pid), '-f', 'dist/language.js'], { encoding: 'utf8' });
  return stdout.trim().split('\n').filter(Boolean).map(Number);
}

async function replace(document: vscode.TextDocument, search: string, text: string): Promise<void> {
  const start = document.getText().indexOf(search);
  assert.ok(start >= 0, `${search} is not in the file`);
  const edit = new vscode.WorkspaceEdit();
  const range = new vscode.Range(document.positionAt(start), document.positionAt(start + search.length));
  edit.replace(document.uri, range, text);
  assert.ok(await vscode.workspace.applyEdit(edit));
}

describe('an experiment file in the editor', () => {
  let document: vscode.TextDocument;

  beforeAll(async () => {
    mkdirSync(folder(), { recursive: true });
    writePointsProblem(folder());
    document = await vscode.workspace.openTextDocument(writePointsExperiment(folder(), 'typed'));
    await vscode.window.showTextDocument(document);
  });

  afterAll(async () => {
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await removed(folder());
  });

  it('is of its own language, which JSON servers leave alone', async () => {
    assert.equal(document.languageId, 'deeptwist');
    await replace(document, '"batchSize": 20', '"batchSize": "20"');
    const problem = await problemWith(document, 'wrong-value');
    assert.equal(document.getText(problem.range), '"20"');
    assert.deepEqual(
      problemsOf(document.uri).map(({ source }) => source),
      ['DeepTwist'],
    );
  });

  it('is mended by the quick fix of a problem', async () => {
    const problem = await problemWith(document, 'wrong-value');
    const fix = await codeAction(document.uri, problem.range, 'Change to 20');
    assert.ok(fix.edit);
    assert.ok(await vscode.workspace.applyEdit(fix.edit));
    assert.match(document.getText(), /"batchSize": 20,/);
    await eventually('no problem', () => problemsOf(document.uri).length === 0);
  });

  it('is checked against the layers of its model, which is described when the file is opened', async () => {
    await replace(document, '"hidden":', '"hiden":');
    const problem = await problemWith(document, 'matches-nothing');
    assert.match(problem.message, /Did you mean "hidden"\? The model's layers are: hidden, out\./);
    assert.equal(document.getText(problem.range), '"hiden"');
    await replace(document, '"hiden":', '"hidden":');
    await eventually('no problem', () => problemsOf(document.uri).length === 0);
  });

  it('follows the model when its file is saved', async () => {
    const model = join(folder(), 'model.ts');
    const text = (await vscode.workspace.openTextDocument(model)).getText();
    writeFileSync(model, text.replace("name: 'hidden'", "name: 'first'"));
    const problem = await problemWith(document, 'matches-nothing');
    assert.match(problem.message, /The model's layers are: first, out\./);
    writeFileSync(model, text);
    await eventually('no problem', () => problemsOf(document.uri).length === 0);
  });

  it('says that its model throws, and where', async () => {
    await replace(document, './model.ts', './throws.ts');
    await document.save();
    const problem = await problemWith(document, 'model-fails');
    assert.equal(document.getText(problem.range), '"./throws.ts"');
    assert.match(
      problem.message,
      /^model: createModel\(\) of throws\.ts failed: no such layer\. Fix throws\.ts, line 1\.$/,
    );
    const [{ location }] = problem.relatedInformation ?? [];
    assert.deepEqual([location.uri.fsPath, location.range.start.line], [join(folder(), 'throws.ts'), 0]);
    await replace(document, './throws.ts', './model.ts');
    await document.save();
    await eventually('the mended file', () => problemsOf(document.uri).length === 0);
  });

  it('sees weights to start from come, those of Keras and of PyTorch, too', async () => {
    for (const name of ['late.keras', 'late.h5', 'late.hdf5', 'late.pt']) {
      const start = `"start": "./${name}", `;
      await replace(document, '"compression"', `${start}"compression"`);
      const problem = await problemWith(document, 'no-such-file');
      assert.equal(document.getText(problem.range), `"./${name}"`);
      writeFileSync(join(folder(), name), '');
      await eventually('no missing file', () => problemsOf(document.uri).every(({ code }) => code !== 'no-such-file'));
      await replace(document, start, '');
    }
  });

  it('is not asked for its model where a setting says so', async () => {
    const settings = vscode.workspace.getConfiguration('deeptwist');
    await settings.update('describeModels', false, vscode.ConfigurationTarget.Workspace);
    writeFileSync(join(folder(), 'other.ts'), readFileSync(join(folder(), 'model.ts')));
    await replace(document, './model.ts', './other.ts');
    await replace(document, '"hidden":', '"hiden":');
    await document.save();
    // Longer than to describe a model: a whole run, which is begun later.
    await ended(await startRun(vscode.Uri.file(writePointsExperiment(folder(), 'meanwhile'))));
    assert.deepEqual(problemsOf(document.uri), []);
    await settings.update('describeModels', undefined, vscode.ConfigurationTarget.Workspace);
    await problemWith(document, 'matches-nothing');
    await replace(document, '"hiden":', '"hidden":');
    await eventually('no problem', () => problemsOf(document.uri).length === 0);
  });

  it('is checked again after the server has died', async () => {
    await replace(document, '"method": "prune"', '"method": "prne"');
    await problemWith(document, 'wrong-value');
    for (const server of servers()) process.kill(server, 'SIGKILL');
    await eventually('the marks to go with the server', () => problemsOf(document.uri).length === 0);
    await problemWith(document, 'wrong-value');
    await replace(document, '"prne"', '"prune"');
    await eventually('no problem', () => problemsOf(document.uri).length === 0);
  });

  it('is checked again, by one server, after it was restarted by its command, also twice at once', async () => {
    await replace(document, '"method": "prune"', '"method": "prne"');
    await problemWith(document, 'wrong-value');
    const restart = () => vscode.commands.executeCommand('deeptwist.restartLanguageServer');
    await Promise.all([restart(), restart()]);
    await eventually('one server', () => servers().length === 1);
    const problem = await problemWith(document, 'wrong-value');
    assert.match(problem.message, /did you mean 'prune'\?/);
    await replace(document, '"prne"', '"prune"');
    await eventually('no problem', () => problemsOf(document.uri).length === 0);
  });
});
