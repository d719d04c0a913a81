/** @file Sweeps that nobody has trained, made by what makes real ones: as many runs as a measurement needs. */
import { readFileSync } from 'node:fs';
import { FILES_AT_ONCE, mapAtOnce } from '../../../server/runs/mapAtOnce.ts';
import { createSweep, type Sweep } from '../../../server/sweeps/sweepFolder.ts';

const SEEDS = 5;
/** Bytes of a dense model and of its parts that are kept. */
const DENSE_BYTES = 1_064_000;

/**
 * Makes a sweep of finished runs: rates by times by seeds.
 * @param file the experiment's
 * @param runs a multiple of 5
 */
export async function writeFinishedSweep(file: string, runs: number): Promise<Sweep> {
  const combinations = Array.from({ length: runs }, (_, i) => {
    const [combination, seed] = [Math.floor(i / SEEDS), (i % SEEDS) + 1];
    const rate = Number((0.5 + (0.49 * combination) / Math.ceil(runs / SEEDS)).toFixed(4));
    const every = [10, 50, 200][combination % 3];
    return [`compression.layers.fc1.rate=${rate}`, `compression.distortEvery=${every}`, `training.seed=${seed}`];
  });
  const sweep = await createSweep({ experiment: file, text: readFileSync(file, 'utf8'), overrides: ['sweep=null'], combinations }); // prettier-ignore
  await mapAtOnce(sweep.plan, FILES_AT_ONCE, async (planned) => {
    const run = await sweep.makeRun(planned);
    const place = planned.line / runs;
    const bytesKept = Math.round(DENSE_BYTES * (0.6 - 0.5 * place));
    await run.update({
      state: 'finished',
      result: {
        metric: 'accuracy',
        test: 0.985 - 0.03 * place ** 2 - (planned.line % 7) / 2000,
        validation: 0.986 - 0.03 * place ** 2 - (planned.line % 5) / 2000,
        byteRatio: DENSE_BYTES / bytesKept,
        weightRatio: DENSE_BYTES / bytesKept,
        bytes: DENSE_BYTES,
        bytesKept,
        seconds: 60 + (planned.line % 11),
      },
    });
  });
  return sweep;
}
