/** @file Makes {@link Program}s of tfjs functions and models, and batches of random numbers for them. */
import * as tf from '@tensorflow/tfjs';
import { elementCount } from '../../../server/protocol/shape.ts';
import type { ProgramWeight, Program, SampleType, StepBatch } from '../../../server/compiler/program.ts';
import { Random } from '../../../server/formats/random.ts';

export type Loss = (targets: tf.Tensor, outputs: tf.Tensor) => tf.Tensor;

/** A step of a function of weights and a batch; evaluated, it is the same function. */
export function functionProgram(
  weights: Readonly<Record<string, tf.Tensor>>,
  inputs: readonly SampleType[],
  loss: (weights: Record<string, tf.Variable>, inputs: tf.Tensor[]) => tf.Tensor,
): Program {
  const variables = Object.fromEntries(
    Object.entries(weights).map(([name, value]) => [name, tf.variable(value)] as const),
  );
  const compute = (batch: tf.Tensor[]) => loss(variables, batch) as tf.Scalar;
  return {
    weights: Object.entries(variables).map(([name, variable]) => ({ name, trainable: true, variable })),
    layers: [],
    inputs,
    targets: [],
    metrics: [],
    loss: compute,
    evaluate: (batch) => ({ loss: compute(batch), metrics: [] }),
  };
}

/**
 * A training step of a model of one output, regularizers included.
 * @param dtype of the inputs; tfjs-layers declares indices as float32
 */
export function modelProgram(
  model: tf.LayersModel,
  loss: Loss,
  target: SampleType,
  dtype: SampleType['dtype'] = 'float32',
): Program {
  const inputs = model.inputs.map(({ shape }): SampleType => ({ dtype, shape: shape.slice(1) as number[] }));
  const trained = new Set(model.trainableWeights);
  const outputs = (batch: tf.Tensor[], training: boolean) => model.apply(batch, { training }) as tf.Tensor;
  return {
    weights: model.weights.map((weight): ProgramWeight => {
      const { val: variable } = weight as unknown as { val: tf.Variable };
      return { name: weight.name, trainable: trained.has(weight), variable };
    }),
    layers: model.layers,
    inputs,
    targets: [target],
    metrics: ['mean of the outputs'],
    loss(batch, [targets]) {
      // A sequential model has its regularizers from the first call on.
      const y = outputs(batch, true);
      const penalties = model.calculateLosses();
      return penalties.reduce<tf.Tensor>((sum, penalty) => tf.add(sum, penalty), loss(targets, y)) as tf.Scalar;
    },
    evaluate: (batch, [targets]) => {
      const y = outputs(batch, false);
      return { loss: loss(targets, y) as tf.Scalar, metrics: [tf.mean(y)] };
    },
  };
}

/** Numbers for a batch: normally distributed floats, integers below `classes`. */
export function randomBatch(program: Program, size: number, seed: number, classes = 3): StepBatch {
  const random = new Random(seed);
  const values = ({ dtype, shape }: SampleType) => {
    const length = size * elementCount(shape);
    return dtype === 'int32'
      ? Int32Array.from({ length }, () => random.below(classes))
      : Float32Array.from({ length }, () => normal(random));
  };
  return { size, inputs: program.inputs.map(values), targets: program.targets.map(values) };
}

/** About normal (Irwin & Hall), bounded, never exactly 0. */
function normal(random: Random): number {
  return 2 * (random.uniform() + random.uniform() + random.uniform() - 1.5);
}

/** Sets all weights to random numbers; initializers leave biases 0, which hides mistakes. */
export function randomizeWeights(program: Program, seed: number, scale = 0.5): void {
  const random = new Random(seed);
  tf.tidy(() => {
    for (const { variable, name } of program.weights) {
      const values = Float32Array.from({ length: variable.size }, () => scale * normal(random));
      // A variance is positive.
      if (name.includes('variance')) values.forEach((value, i) => (values[i] = 0.5 + Math.abs(value)));
      variable.assign(tf.tensor(values, variable.shape));
    }
  });
}
