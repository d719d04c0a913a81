/** @file Random models: compositions of layers and operations, with a loss, a metric and a batch. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { elementCount } from '../../../../server/protocol/shape.ts';
import type { Program, SampleType, StepBatch } from '../../../../server/compiler/program.ts';
import { modelProgram, randomBatch, randomizeWeights, type Loss } from '../programs.ts';
import {
  anywhere,
  embeddings,
  images,
  sequences,
  two,
  vectors,
  WORDS,
  type Pick,
  type Step,
  type Symbolic,
} from './steps.ts';

/** What a model is made from; fast-check makes it smaller when a model fails. */
export interface Recipe {
  readonly input: number;
  readonly batchSize: number;
  readonly steps: readonly (readonly number[])[];
  readonly end: readonly number[];
}

const numbers = fc.array(fc.nat({ max: 2 ** 20 }), { minLength: 12, maxLength: 12 });

export const recipes: fc.Arbitrary<Recipe> = fc.record({
  input: fc.nat({ max: 2 ** 20 }),
  batchSize: fc.integer({ min: 1, max: 3 }),
  steps: fc.array(numbers, { minLength: 1, maxLength: 8 }),
  end: numbers,
});

export interface RandomModel {
  readonly program: Program;
  readonly batches: readonly StepBatch[];
  /** The steps by name. */
  readonly text: string;
}

const inputShapes = [[6], [3, 4], [5, 2], [5, 5, 2], [4, 6, 1], [6, 4, 3]];
/** Elements of a sample above which a tensor is reduced. */
const LARGEST = 300;

const merges: Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
  ...{ add: tf.add, sub: tf.sub, mul: tf.mul, maximum: tf.maximum, minimum: tf.minimum },
  squaredDifference: tf.squaredDifference,
  divided: (a, b) => tf.div(a, tf.add(tf.abs(b), 1)),
  joined: (a, b) => tf.concat([a, b], -1),
};

const losses: Record<string, Loss> = {
  squares: (t, y) => tf.mean(tf.squaredDifference(t, y)),
  absolute: (t, y) => tf.mean(tf.abs(tf.sub(t, y))),
  logistic: (t, y) => tf.losses.sigmoidCrossEntropy(tf.cast(tf.greater(t, 0), 'float32'), y),
  softmax: (t, y) => tf.losses.softmaxCrossEntropy(tf.softmax(t), y),
  huber: (t, y) => tf.losses.huberLoss(t, y),
};

const metrics: Record<string, Loss> = {
  mean: (_, y) => tf.mean(y),
  sameSign: (t, y) => tf.mean(tf.cast(tf.equal(tf.greater(t, 0), tf.greater(y, 0)), 'float32')),
  truePositives: (t, y) => tf.sum(tf.cast(tf.mul(tf.greater(t, 0), tf.greater(y, 0)), 'float32')),
  largest: (t, y) => tf.max(tf.sub(y, t)),
};

function picker(values: readonly number[]): Pick {
  let next = 0;
  return (below) => values[next++ % values.length] % below;
}

const chosen = <T>(table: Readonly<Record<string, T>>, number: number): readonly [string, T] => {
  const all = Object.entries(table);
  return all[number % all.length];
};

const sampleShape = (x: Symbolic) => x.shape.slice(1) as number[];

function tablesFor(shape: readonly number[], indices: boolean): Readonly<Record<string, Step>> {
  if (indices) return embeddings;
  return { ...(shape.length === 1 ? vectors : shape.length === 2 ? sequences : shape.length === 3 ? images : {}) };
}

export function randomModel(recipe: Recipe): RandomModel {
  const isIndices = recipe.input % 4 === 0;
  const shape = isIndices ? [4] : inputShapes[recipe.input % inputShapes.length];
  const input = tf.input({ shape });
  const text: string[] = [`[${shape.join()}]${isIndices ? ' of indices' : ''} x ${recipe.batchSize}`];
  let x: Symbolic = input;
  const before: Symbolic[] = [];
  for (const [index, [kind, choice, ...rest]] of recipe.steps.entries()) {
    const own = tablesFor(sampleShape(x), isIndices && index === 0);
    const other = before.findLast((y) => sampleShape(y).join() === sampleShape(x).join());
    if (kind % 7 === 0 && other !== undefined && other !== x && !(isIndices && index === 0)) {
      const [name, merge] = chosen(merges, choice);
      text.push(name);
      x = two(name, merge, x, other);
    } else {
      const specific = Object.keys(own).length > 0 && (kind % 4 > 0 || (isIndices && index === 0));
      const [name, step] = chosen(specific ? own : anywhere, choice);
      text.push(name);
      x = step(x, sampleShape(x), picker(rest));
    }
    if (elementCount(sampleShape(x)) > LARGEST) x = tf.layers.dense({ units: 2 }).apply(x) as Symbolic;
    if (!(isIndices && index === 0 && x === input)) before.push(x);
  }
  if (sampleShape(x).length > 1) x = tf.layers.flatten().apply(x) as Symbolic;
  const [units, loss, metric, seed] = recipe.end;
  const output = tf.layers.dense({ units: 1 + (units % 3) }).apply(x) as Symbolic;
  const model = tf.model({ inputs: input, outputs: output });
  const [lossName, lossOf] = chosen(losses, loss);
  const [metricName, metricOf] = chosen(metrics, metric);
  text.push(`loss ${lossName}`, `metric ${metricName}`);
  const target: SampleType = { dtype: 'float32', shape: sampleShape(output) };
  const plain = modelProgram(model, lossOf, target, isIndices ? 'int32' : 'float32');
  const program: Program = {
    ...plain,
    metrics: [metricName],
    evaluate(batch, [targets]) {
      const y = model.apply(batch, { training: false }) as tf.Tensor;
      return { loss: lossOf(targets, y) as tf.Scalar, metrics: [metricOf(targets, y)] };
    },
  };
  randomizeWeights(program, seed);
  return {
    program,
    batches: [0, 1].map((i) => randomBatch(program, recipe.batchSize, seed + i, WORDS)),
    text: text.join(' -> '),
  };
}
