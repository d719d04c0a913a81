/**
 * @file Do compiled and eager steps agree? Random models, each run by both executors; what disagrees is printed with its recipe. The
 * nightly form of test/unit/compiler/graphs/graphs.test.ts.
 */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { judgeModel, type Verdict } from '../unit/compiler/graphs/judgeModel.ts';
import { recipes } from '../unit/compiler/graphs/randomModel.ts';
import { beside, type Benchmark } from './bench.ts';

export default {
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
  },
  async run({ count, seed }) {
    await tf.setBackend('cpu');
    const counts = new Map<string, number>();
    const count1 = (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
    for (const recipe of fc.sample(recipes, { numRuns: Number(count), seed: Number(seed) })) {
      const { kind, reason, text } = await judgeModel(recipe);
      count1(kind);
      if (kind === 'fell back') count1(`fell back, ${reason.split(' of ')[0]}`);
      if (kind === 'failed') console.log(`FAILED: ${reason}\n  ${text}\n  ${JSON.stringify(recipe)}`);
    }
    for (const [key, number] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) console.log(`${key}: ${number}`);
    const failed: Verdict['kind'] = 'failed';
    const wrong = counts.get(failed) ?? 0;
    return [{ ...beside(0, 'models that disagree', wrong, 'models'), ratio: wrong === 0 ? 1 : 0 }];
  },
} satisfies Benchmark;
