/**
 * @file Do compiled and eager steps agree? Random models, each run by both executors; what disagrees is printed with its recipe. The
 * nightly form of test/unit/compiler/graphs/graphs.test.ts.
 */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { judgeModel } from '../unit/compiler/graphs/judgeModel.ts';
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
    const add = (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
    for (const recipe of fc.sample(recipes, { numRuns: Number(count), seed: Number(seed) })) {
      const { kind, reason, text } = await judgeModel(recipe);
      add(kind);
      if (kind === 'fell back') add(`fell back, ${reason.split(' of ')[0]}`);
      if (kind === 'failed') console.log(`FAILED: ${reason}\n  ${text}\n  ${JSON.stringify(recipe)}`);
    }
    for (const [key, number] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) console.log(`${key}: ${number}`);
    const agreed = counts.get('agreed') ?? 0;
    const failed = counts.get('failed') ?? 0;
    // Half a model above none, so that one is too many.
    return [beside(0.5, `models that disagree, beside ${agreed} that agree`, failed, 'models')];
  },
} satisfies Benchmark;
