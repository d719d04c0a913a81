/** @file Export Model… in a real editor: a real run by the command, one that is cancelled, one whose code has changed. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { StoredRun } from '../../extension/runs/storedRun.ts';
import type { DeepTwistApi } from '../../extension/workbench.ts';
import type { Latency } from '../../server/protocol/run/latency.ts';
import { readLatency } from '../../server/runs/latencyRecord.ts';
import type { ExportedFile } from '../../server/protocol/run/exportedFile.ts';
import { readExportedFiles } from '../../server/runs/exportedFiles.ts';
import { writePointsExperiment, writePointsProblem } from '../fixtures/points.ts';
import { afterAll, beforeAll, describe, it, removed } from './frame.ts';
import { activate, ended, eventsOfType, folderOf, startRun, stopAll } from './realRuns.ts';

const folder = () => folderOf('export');
const fileIn = (name: string) => join(folder(), name);

describe('Export Model…', () => {
  let api: DeepTwistApi;
  let run: StoredRun;

  const exportModel = (path: string, token?: vscode.CancellationToken) =>
    vscode.commands.executeCommand<ExportedFile | undefined>('deeptwist.exportModel', run.key, {
      format: 'onnx',
      path,
      token,
    });
  const left = (name: string) => readdirSync(folder()).filter((entry) => entry.startsWith(name));

  beforeAll(async () => {
    api = await activate();
    writePointsProblem(folder());
    run = await startRun(vscode.Uri.file(writePointsExperiment(folder(), 'exported')));
    await ended(run);
  });

  afterAll(async () => {
    await stopAll(api);
    await vscode.commands.executeCommand('notifications.clearAll');
    await removed(folder());
  });

  it('writes the file of a run, with the metric measured on it, and keeps that with the run', async () => {
    const path = fileIn('points.onnx');
    const file = await exportModel(path);
    const [{ summary }] = eventsOfType(run, 'finished');
    assert.equal(file?.bytes, statSync(path).size);
    assert.equal(file.value, summary.test);
    assert.equal(file.runValue, summary.test);
    assert.deepEqual(await readExportedFiles(run.run), [{ ...file, isThere: true }]);
  });

  it('is followed by a report of the run, a page without scripts', async () => {
    const path = fileIn('report.html');
    assert.equal(await vscode.commands.executeCommand('deeptwist.shareReport', run.key, { path }), path);
    const page = readFileSync(path, 'utf8');
    assert.ok(page.includes(run.run.id) && page.includes('points.onnx'));
    assert.ok(!page.includes('<script'));
  });

  it('that is cancelled leaves no file and no record', async () => {
    const source = new vscode.CancellationTokenSource();
    const exporting = exportModel(fileIn('cancelled.onnx'), source.token);
    source.cancel();
    assert.equal(await exporting, undefined);
    assert.deepEqual(left('cancelled.onnx'), []);
    assert.ok(!(await readExportedFiles(run.run)).some(({ path }) => path === fileIn('cancelled.onnx')));
  });

  it('has its speed measured, and keeps that with the run', async () => {
    const latency = await vscode.commands.executeCommand<Latency | undefined>('deeptwist.measureLatency', run.key);
    assert.deepEqual(
      latency?.models.map(({ format, dense }) => [format, dense]),
      [
        ['onnx', true],
        ['onnx', false],
        ['packed', false],
      ],
    );
    assert.deepEqual(await readLatency(run.run), latency);
  });

  it('is refused where the code of the run has changed: no file is written', async () => {
    appendFileSync(fileIn('model.ts'), '// Changed.\n');
    assert.equal(await exportModel(fileIn('changed.onnx')), undefined);
    assert.ok(!existsSync(fileIn('changed.onnx')));
  });
});
