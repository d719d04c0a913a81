import { join } from 'node:path';
import { findSweep } from '../../../../server/sweeps/findSweep.ts';
import { plannedRuns } from '../../../../server/sweeps/plannedRuns.ts';
import { readSweep } from '../../../../server/sweeps/runQueue.ts';
import { experimentText } from '../../cli/sampleEvents.ts';
import { json, jsonLines } from '../mutations.ts';
import type { Subject } from '../subject.ts';

const FILE = 'lenet.deeptwist.jsonc';
const ID = '20261122-120005-lenet';
const SWEEP = `.deeptwist/sweeps/${ID}`;

const record = {
  format: 1,
  id: ID,
  experiment: `/nowhere/${FILE}`,
  relativeExperiment: `../../../${FILE}`,
  runs: '../../runs',
  created: '2026-11-22T12:00:05.000Z',
};
const plan = [1, 2].map((seed) => ({
  run: `${ID}.${seed}`,
  set: ['sweep=null', `training.seed=${seed}`],
  vary: [`training.seed=${seed}`],
}));
const sweep = {
  type: 'random',
  runs: 20,
  seed: 2,
  vary: {
    'compression.layers["fc1"].rate': { from: 0.5, to: 0.9, scale: 'linear' },
    'training.seed': [1, 2, 3],
    'training.optimizer.learningRate': { from: 1e-4, to: 1e-2, scale: 'logarithmic', integer: false },
  },
};

const files = {
  [FILE]: JSON.stringify({ ...(JSON.parse(experimentText) as object), sweep }),
  [`${SWEEP}/sweep.json`]: JSON.stringify(record),
  [`${SWEEP}/plan.jsonl`]: plan.map((line) => `${JSON.stringify(line)}\n`).join(''),
  [`${SWEEP}/experiment.deeptwist.jsonc`]: experimentText,
};

export const sweeps: Subject = {
  name: 'sweeps',
  cases: 160,
  files: () => Promise.resolve(files),
  mutations: { [FILE]: json, [`${SWEEP}/sweep.json`]: json, [`${SWEEP}/plan.jsonl`]: jsonLines },
  async read(folder) {
    const found = await findSweep(ID, folder);
    if (found) await readSweep(found);
    await plannedRuns(join(folder, FILE), []);
  },
};
