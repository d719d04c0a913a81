/** @file `npm run bench -- locks`: 2, 3 and 5 processes that take the lock of a run, 1,000 times each. */
import { root } from '../../scripts/root.js';
import { type Benchmark, type Limited } from './bench.ts';
import { raceForLocks } from './lockRace.ts';

export default {
  options: { rounds: { type: 'string' } },
  async run({ rounds: given }) {
    const rounds = Number(given ?? 1000);
    const results: Limited[] = [];
    for (const processes of [2, 3, 5]) {
      const { right, faults } = await raceForLocks(root, processes, rounds);
      for (const fault of faults) console.log(`  ${processes} processes: ${fault}`);
      const held = faults.length === 0 ? right : Math.min(right, rounds - 1);
      results.push({
        case: `${processes} processes, one holder`,
        ours: held,
        unit: 'rounds',
        ratio: held / rounds,
        target: rounds,
      });
    }
    return results;
  },
} satisfies Benchmark;
