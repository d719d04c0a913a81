/** @file The optimizers once more, element by element in float64 and straight from their papers: the oracle of the tests. */
import type { OptimizerConfig, TrainingConfig } from '../../../server/protocol/experiment/schema.ts';

/** `steps[t]` holds the gradients of step t, one array per parameter. @returns the parameters after all steps */
export function trainReference(
  config: OptimizerConfig,
  clip: TrainingConfig['clip'],
  learningRate: number,
  initial: readonly (readonly number[])[],
  steps: readonly (readonly (readonly number[])[])[],
): number[][] {
  const values = initial.map((value) => [...value]);
  const elements = values.map((value) => value.map(() => elementOf(config, learningRate)));
  steps.forEach((gradients, t) => {
    clipReference(gradients, clip).forEach((gradient, p) => {
      gradient.forEach((g, i) => {
        values[p][i] = elements[p][i](values[p][i], g, t + 1);
      });
    });
  });
  return values;
}

/** tf.clip_by_value, then tf.clip_by_global_norm. */
export function clipReference(gradients: readonly (readonly number[])[], clip: TrainingConfig['clip']): number[][] {
  const limit = clip?.value ?? Infinity;
  const clipped = gradients.map((gradient) => gradient.map((g) => Math.max(-limit, Math.min(limit, g))));
  const norm = Math.hypot(...clipped.flat());
  const maximum = clip?.globalNorm ?? Infinity;
  const scale = norm > maximum ? maximum / norm : 1;
  return clipped.map((gradient) => gradient.map((g) => g * scale));
}

/** The update of one weight, with its state. */
function elementOf(config: OptimizerConfig, learningRate: number): (w: number, g: number, t: number) => number {
  switch (config.type) {
    case 'sgd': {
      let velocity = 0;
      return (w, gradient) => {
        const g = gradient + config.weightDecay * w;
        velocity = config.momentum * velocity + g;
        return w - learningRate * (config.nesterov ? g + config.momentum * velocity : velocity);
      };
    }
    case 'adam': {
      let m = 0;
      let v = 0;
      return (w, g, t) => {
        m = config.beta1 * m + (1 - config.beta1) * g;
        v = config.beta2 * v + (1 - config.beta2) * g * g;
        const mHat = m / (1 - config.beta1 ** t);
        const vHat = v / (1 - config.beta2 ** t);
        return w - (learningRate * mHat) / (Math.sqrt(vHat) + config.epsilon) - learningRate * config.weightDecay * w;
      };
    }
    case 'rmsprop': {
      let meanSquare = 0;
      let mean = 0;
      let velocity = 0;
      return (w, gradient) => {
        const g = gradient + config.weightDecay * w;
        meanSquare = config.decay * meanSquare + (1 - config.decay) * g * g;
        mean = config.centered ? config.decay * mean + (1 - config.decay) * g : 0;
        const root = Math.sqrt(meanSquare - mean * mean + config.epsilon);
        velocity = config.momentum * velocity + (learningRate * g) / root;
        return w - velocity;
      };
    }
    case 'adagrad': {
      let sum = config.initialAccumulator;
      return (w, gradient) => {
        const g = gradient + config.weightDecay * w;
        sum += g * g;
        return w - (learningRate * g) / Math.sqrt(sum + config.epsilon);
      };
    }
  }
}
