/** @file `npm run bench -- kills`: runs that are killed at random moments and resumed end as one that was not interrupted. */
import { root } from '../../scripts/root.js';
import { type Benchmark } from './bench.ts';
import { killRuns } from './killing.ts';

export default {
  options: { kills: { type: 'string' }, seed: { type: 'string' } },
  async run({ kills = '60', seed = String(Date.now() % 1e6) }) {
    const runs = await killRuns(root, Number(kills), Number(seed));
    for (const { process, moment, kills, fault } of runs)
      console.log(`  ${process}, ${moment}: killed ${kills} times, ${fault ?? 'the same end'}`);
    const same = runs.filter((run) => run.same).length;
    return [
      {
        case: `the same end, seed ${seed as string}`,
        ours: same,
        unit: 'runs',
        ratio: same / runs.length,
        target: runs.length,
      },
    ];
  },
} satisfies Benchmark;
