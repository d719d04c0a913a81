import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { encodeSafetensors } from '../../../../server/formats/safetensors.ts';
import { createRunHistory } from '../../../../server/protocol/run/runHistory.ts';
import { readLatestCheckpoint } from '../../../../server/runs/checkpoints.ts';
import { findRun, listRuns } from '../../../../server/runs/findRun.ts';
import { readEvents, readLastEvents } from '../../../../server/runs/log/readEvents.ts';
import { openRun } from '../../../../server/runs/run.ts';
import { StoredDescriptions } from '../../../../server/runs/storedDescriptions.ts';
import { experimentText, wholeRun } from '../../cli/sampleEvents.ts';
import { bytes, json, jsonLines } from '../mutations.ts';
import type { Subject } from '../subject.ts';

const RUN = '.deeptwist/runs/20261122-120005-lenet';

const record = {
  format: 1,
  id: '20261122-120005-lenet',
  name: 'lenet',
  experiment: '/nowhere/lenet.deeptwist.jsonc',
  overrides: ['training.steps=20000'],
  state: 'stopped',
  process: { pid: 999_999, startTime: '1', host: 'other' },
  endpoint: '/nowhere/socket',
  result: { metric: 'accuracy', test: 0.98, byteRatio: 30, weightRatio: 50 },
  failure: { message: 'none', remedy: 'none' },
  changes: [{ step: 10, values: ['training.steps=30000'] }],
  created: '2026-11-22T12:00:05.000Z',
  updated: '2026-11-22T12:10:05.000Z',
  cuts: [100, 50],
};

const tensors = encodeSafetensors(
  new Map([['fc1/kernel', { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) }]]),
);
const side = {
  format: 1,
  step: 1000,
  eventsOffset: 10,
  tensors: { bytes: tensors.length, sha256: createHash('sha256').update(tensors).digest('hex') },
  state: { plateau: { best: null, withoutImprovement: 0, decays: 0 }, lastObservation: 0 },
};

const runFiles = {
  [`${RUN}/run.json`]: JSON.stringify(record),
  [`${RUN}/experiment.deeptwist.jsonc`]: experimentText,
  [`${RUN}/events.jsonl`]: wholeRun.map((event) => `${JSON.stringify(event)}\n`).join(''),
  [`${RUN}/checkpoints/step-000001000.safetensors`]: tensors,
  [`${RUN}/checkpoints/step-000001000.json`]: JSON.stringify(side),
};
const files = () => Promise.resolve(runFiles);

export const records: Subject = {
  name: 'run.json',
  cases: 170,
  files,
  mutations: { [`${RUN}/run.json`]: json, [`${RUN}/experiment.deeptwist.jsonc`]: [...bytes] },
  async read(folder) {
    const { runs } = await listRuns(folder);
    for (const run of runs) {
      run.observedState();
      await run.experimentText();
    }
    await findRun('last', folder);
    await openRun(join(folder, RUN));
  },
};

export const events: Subject = {
  name: 'events.jsonl',
  cases: 200,
  files,
  mutations: { [`${RUN}/events.jsonl`]: jsonLines },
  async read(folder) {
    const run = await openRun(join(folder, RUN));
    const history = createRunHistory();
    for await (const event of readEvents(run)) history.apply(event);
    history.snapshot();
    await readLastEvents(run);
  },
};

export const checkpoints: Subject = {
  name: 'checkpoints',
  cases: 150,
  files,
  mutations: {
    [`${RUN}/checkpoints/step-000001000.json`]: json,
    [`${RUN}/checkpoints/step-000001000.safetensors`]: bytes,
  },
  isRead: (result) => (result as Awaited<ReturnType<typeof readLatestCheckpoint>>).checkpoint?.step === 1000,
  read: async (folder) => readLatestCheckpoint(await openRun(join(folder, RUN))),
};

const source = { model: './model.ts', data: { type: 'mnist', path: './mnist' } } as const;
/** Path of a description of that model: under the hash of its settings, sorted by their names. */
const description = `.deeptwist/models/${descriptionKey()}.json`;

function descriptionKey(): string {
  const { model, data } = source;
  return createHash('sha256')
    .update(JSON.stringify({ data: { path: data.path, type: data.type }, model }))
    .digest('hex')
    .slice(0, 16);
}

const modelText = 'export const createModel = () => undefined;\n';

export const descriptions: Subject = {
  name: 'model descriptions',
  cases: 150,
  files: () =>
    Promise.resolve({
      'model.ts': modelText,
      [description]: JSON.stringify({
        version: 1,
        model: './model.ts',
        files: [{ path: '{{folder}}/model.ts', sha256: createHash('sha256').update(modelText).digest('hex') }],
        weights: [
          { name: 'fc1/kernel', layer: 'fc1', weight: 'kernel', layerClass: 'Dense', shape: [2, 3], trainable: true },
        ],
        samples: 100,
      }),
    }),
  mutations: { [description]: json },
  isRead: (result) => result !== undefined,
  read: (folder) => new StoredDescriptions().read(join(folder, 'e.deeptwist.jsonc'), source),
};
