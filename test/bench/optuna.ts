/**
 * @file `npm run bench -- optuna --python PATH`: a search by the real Optuna, whose sweep is killed (SIGKILL) and gone on with: each run is one trial of the study, told
 * of once, with the metric of the run, and none has the settings of another.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { root } from '../../scripts/root.js';
import { listRuns } from '../../server/runs/findRun.ts';
import { findSweep } from '../../server/sweeps/findSweep.ts';
import { experiment, writeBlobs } from '../unit/training/blobs.ts';
import type { Benchmark } from './bench.ts';
import { checkPython } from './givenPython.ts';

const RUNS = 6;
const settings = {
  training: { ...experiment.training, threads: 1, steps: 100 },
  sweep: {
    type: 'random',
    runs: RUNS,
    vary: {
      'training.optimizer.learningRate': { from: 1e-5, to: 1e-1, scale: 'logarithmic' },
      'training.batchSize': { from: 5, to: 20, integer: true },
      'training.clip': [null, { globalNorm: 1 }],
    },
  },
};
const READ = `
import json, sys, optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
study = optuna.load_study(study_name=sys.argv[2], storage=JournalStorage(JournalFileBackend(sys.argv[1])))
print(json.dumps({"version": optuna.__version__, "trials": [{"state": t.state.name, "value": t.value, "rate": t.params["training.optimizer.learningRate"]} for t in study.trials]}))
`;
const read = z.object({
  version: z.string(),
  trials: z.array(z.object({ state: z.string(), value: z.number().nullable(), rate: z.number() })),
});

export default {
  options: { python: { type: 'string' } },
  async run({ python = 'python3' }) {
    checkPython(python as string, ['optuna']);
    const folder = mkdtempSync(join(tmpdir(), 'deeptwist-optuna-'));
    try {
      await writeBlobs(folder, settings);
      const deeptwist = (...args: readonly string[]) =>
        spawn(process.execPath, [join(root, 'bin', 'deeptwist.js'), 'sweep', ...args], { cwd: folder, stdio: 'inherit' }); // prettier-ignore
      const first = deeptwist('blobs.deeptwist.jsonc', '--search', 'optuna', '--python', python as string);
      while ((await listRuns(folder)).runs.filter(({ record }) => record.state === 'finished').length < 2) await sleep(300); // prettier-ignore
      const killed = once(first, 'exit');
      first.kill('SIGKILL');
      await killed;
      await once(deeptwist('last'), 'exit');
      const sweep = await findSweep('last', folder);
      if (!sweep) throw new Error('The sweep has gone.');
      const { runs } = await listRuns(folder);
      const told = read.parse(
        JSON.parse(execFileSync(python as string, ['-W', 'ignore', '-c', READ, join(sweep.path, 'optuna.log'), sweep.id], { encoding: 'utf8' })), // prettier-ignore
      );
      const same = sweep.plan.filter((planned) => {
        const run = runs.find(({ id }) => id === planned.run);
        const trial = told.trials[planned.trial ?? -1] as (typeof told.trials)[number] | undefined;
        return (
          trial?.state === 'COMPLETE' &&
          trial.value === run?.record.result?.test &&
          planned.vary.includes(`training.optimizer.learningRate=${trial.rate}`)
        );
      }).length;
      console.log(
        `  Optuna ${told.version}: ${told.trials.length} trials, ${sweep.plan.length} lines, ${runs.length} runs`,
      );
      const different = new Set(sweep.plan.map(({ vary }) => vary.join())).size;
      return [
        { case: 'runs that are one trial, with their metric', ours: same, unit: 'runs', ratio: same / RUNS, target: RUNS }, // prettier-ignore
        { case: 'different settings of runs', ours: different, unit: 'runs', ratio: different / RUNS, target: RUNS },
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
} satisfies Benchmark;
