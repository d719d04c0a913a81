import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ModelFile } from '../../../../extension/weightsInCode/modelFile.ts';
import type { ExperimentFile } from '../../../../extension/runs/experimentFiles.ts';
import type { StoredRun } from '../../../../extension/runs/storedRun.ts';
import { copySources, readSources } from '../../../../server/runs/copySources.ts';
import { locateModules } from '../../../../server/protocol/model/pythonModules.ts';
import { createRun } from '../../../../server/runs/createRun.ts';
import { started } from '../../cli/sampleEvents.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';

const code =
  "export const createModel = () => tf.sequential({ layers: [tf.layers.dense({ name: 'fc1', units: 100 })] });\n";

/** A workspace with an experiment and a model beside it, and its runs as the store has them. */
async function workspaceOf() {
  const folder = await temporaryFolder();
  const experiment = join(folder, 'experiments', 'lenet.deeptwist.jsonc');
  const model = join(folder, 'models', 'model.ts');
  for (const file of [experiment, model]) await mkdir(dirname(file), { recursive: true });
  await writeFile(experiment, '{}');
  await writeFile(model, code);
  const runs: StoredRun[] = [];
  const file = new ModelFile(model, {
    experiments: () => Promise.resolve([{ file: experiment } as ExperimentFile]),
    runsOf: () => Promise.resolve(runs),
    get active() {
      return runs.filter(({ isActive }) => isActive);
    },
  });
  async function add(minute: number, { uses = [model], isActive = false, begun = true } = {}): Promise<StoredRun> {
    const run = await createRun({ experiment, text: '{}', now: new Date(2026, 0, 1, 12, minute) });
    await copySources(run, await readSources(uses));
    if (begun) await writeFile(run.eventsFile, `${JSON.stringify(started)}\n`);
    const stored = { run, key: run.path, isActive, summary: { created: Date.parse(run.record.created) } } as StoredRun;
    runs.push(stored);
    return stored;
  }
  return { model, file, add };
}

test('the newest run that used the file is shown, one that is trained now before all', async () => {
  const { file, add } = await workspaceOf();
  expect(await file.search()).toBe(false);
  expect(file.viewIn(code)).toBeUndefined();
  await add(1);
  const newest = await add(2);
  await add(3, { uses: [] });
  await add(4, { begun: false });
  expect(await file.search()).toBe(true);
  expect(file.viewIn(code)?.run).toBe(newest);
  expect(await file.search()).toBe(false);
  const live = await add(0, { isActive: true });
  expect(await file.follow()).toBe(true);
  expect(file.viewIn(code)?.run).toBe(live);
});

test('a run that is about to load its model is shown as soon as it has', async () => {
  const { file, add } = await workspaceOf();
  const before = await add(1);
  const next = await add(2, { isActive: true, begun: false });
  await file.search();
  expect(file.viewIn(code)?.run).toBe(before);
  await writeFile(next.run.eventsFile, `${JSON.stringify(started)}\n`);
  expect(await file.follow()).toBe(true);
  expect(file.viewIn(code)?.run).toBe(next);
});

test('the text is compared with what the run used', async () => {
  const { model, file, add } = await workspaceOf();
  await add(1);
  await file.search();
  expect(file.viewIn(code)).toMatchObject({ changed: false, layers: [{ weights: [{ name: 'fc1/kernel' }] }] });
  const edited = code.replace('100', '200');
  expect(file.viewIn(edited)?.changed).toBe(true);
  await writeFile(model, edited);
  await add(2);
  expect(await file.search()).toBe(true);
  expect(file.viewIn(edited)?.changed).toBe(false);
});

const python = `class Net(nn.Module):
    def __init__(self):
        self.fc1 = nn.Linear(784, 300)
        self.body = nn.Sequential(nn.Linear(300, 100), nn.ReLU())
`;

test('Python code shows the newest run whose weights come from PyTorch and fit its modules', async () => {
  const { folder, runs, store, experiment } = await pythonWorkspace();
  const file = new ModelFile(join(folder, 'net.py'), store, { text: () => python, locate: locateModules });
  const add = async (minute: number, events: readonly object[]) => {
    const run = await createRun({ experiment, text: '{}', now: new Date(2026, 0, 1, 13, minute) });
    await writeFile(run.eventsFile, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const stored = { run, key: run.path, isActive: false, summary: { created: Date.parse(run.record.created) } };
    runs.push(stored as StoredRun);
    return stored;
  };
  const begun = (model: string, names: readonly (readonly [name: string, layer: string])[]) => ({
    ...started,
    config: { ...started.config, model },
    layers: names.map(([name, layer]) => ({ ...started.layers[0], name, layer })),
  });
  const graph = begun('./net.onnx', [
    ['fc1.weight', 'fc1'],
    ['body.0.weight', 'body.0'],
  ]);
  const ofGraph = await add(1, [graph]);
  await add(2, [begun('./other.onnx', [['conv1.weight', 'conv1']])]);
  await add(3, [begun('./model.ts', [['fc1/kernel', 'fc1']])]);
  expect(await file.search()).toBe(true);
  const view = file.viewIn(python);
  expect(view?.run).toBe(ofGraph);
  expect(view?.changed).toBe(false);
  expect(view?.layers.map(({ call, weights }) => [call.kind, weights.map(({ name }) => name)])).toEqual([
    ['nn.Linear', ['fc1.weight']],
    ['nn.Linear', ['body.0.weight']],
  ]);
  const pretrained = {
    type: 'pretrained',
    step: 0,
    time: 0,
    from: './net.pt',
    count: 1,
    weights: [{ name: 'dense/kernel', tensors: ['fc1.weight'], by: 'order' }],
  };
  const ofStart = await add(4, [begun('./model.ts', [['dense/kernel', 'dense']]), pretrained]);
  expect(await file.search()).toBe(true);
  expect(file.viewIn(python)?.run).toBe(ofStart);
  expect(file.viewIn(python)?.layers.map(({ weights }) => weights[0].name)).toEqual(['dense/kernel']);
});

/** A workspace in which no run uses the code. */
async function pythonWorkspace() {
  const folder = await temporaryFolder();
  const experiment = join(folder, 'net.deeptwist.jsonc');
  await writeFile(experiment, '{}');
  const runs: StoredRun[] = [];
  const store = {
    experiments: () => Promise.resolve([{ file: experiment } as ExperimentFile]),
    runsOf: () => Promise.resolve(runs),
    active: [],
  };
  return { folder, runs, store, experiment };
}
