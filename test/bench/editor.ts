/**
 * @file What a user waits for in VS Code, each beside its limit, measured in a real one that a browser shows (scripts/editor/).
 * `--only NAME` measures a part, and may be given several times.
 */
import { removeWithLeftovers, temporaryFolder } from '../../scripts/leftovers.js';
import type { Benchmark, Result } from './bench.ts';
import { measureActivation } from './editor/activation.ts';
import { measureEventToPixels } from './editor/eventToPixels.ts';
import { measureLongRun } from './editor/longRun.ts';
import { measureManyRuns } from './editor/manyRuns.ts';
import { measureManySweptRuns } from './editor/manySweptRuns.ts';
import { measureRunLife } from './editor/runLife.ts';
import { measureSizes } from './editor/sizes.ts';
import { measureTrainingCost } from './editor/trainingCost.ts';

const parts: Readonly<Record<string, () => Promise<readonly Result[]>>> = {
  sizes: measureSizes,
  activation: measureActivation,
  run: measureRunLife,
  pixels: measureEventToPixels,
  'long-run': measureLongRun,
  'many-runs': measureManyRuns,
  'swept-runs': measureManySweptRuns,
  'training-cost': measureTrainingCost,
};

/** Measures each part; one that fails is told of, and the others still count. */
async function measureParts(names: readonly string[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const name of names) {
    console.log(name);
    const start = performance.now();
    try {
      results.push(...(await parts[name]()));
    } catch (error) {
      console.error(`  ${name} could not be measured:`, error);
      process.exitCode = 1;
    }
    console.log(`  took ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
  return results;
}

export default {
  options: { only: { type: 'string', multiple: true } },
  async run({ only = Object.keys(parts) }) {
    const names = only as string[];
    const wrong = names.find((name) => !Object.hasOwn(parts, name));
    if (wrong !== undefined)
      throw new Error(
        `There is no part ${wrong} of this benchmark: --only is one of ${Object.keys(parts).join(', ')}.`,
      );
    // Runs of others on this machine are no reason for ours to wait, and what ours leave is seen.
    const temporary = temporaryFolder();
    Object.assign(process.env, temporary.env);
    try {
      return await measureParts(names);
    } finally {
      for (const sentence of await removeWithLeftovers(temporary.path)) console.error(sentence);
    }
  },
} satisfies Benchmark;
