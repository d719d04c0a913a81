/**
 * @file What each optimizer keeps per parameter and how it updates: one kernel call per parameter, everything that is the
 * same for all elements computed once per step in float64. Names of state and places of epsilon are those of
 * `tf.train.*` in TensorFlow.js, with one exception: see {@link rmsprop}.
 */
import type { OptimizerConfig } from '../protocol/experiment/schema.ts';
import type { UpdateKernels } from './kernelJobs.ts';

export type ConfigOf<Type extends OptimizerConfig['type']> = Extract<OptimizerConfig, { type: Type }>;

/** The places of a parameter in memory: byte addresses in the arena, lengths in elements. */
export interface ParameterAddresses {
  /** Kernels that work in the arena of the parameter, now or when {@link KernelThreads.run} is called. */
  readonly kernels: UpdateKernels;
  readonly value: number;
  readonly gradient: number;
  readonly length: number;
  /** Elements of the gradient: `length`, or count * width of its rows. */
  readonly gradientLength: number;
  /** Set where the gradient consists of rows. */
  readonly rows: { readonly indices: number; readonly count: number; readonly width: number } | undefined;
  readonly slots: Readonly<Record<string, number>>;
  /** Steps that were done before the first one that trains it. */
  readonly stepsBefore: number;
}

export interface UpdateStep {
  readonly learningRate: number;
  /** 1 in the first step. */
  readonly iteration: number;
  /** Gradients are clipped to [-limit, limit] … */
  readonly limit: number;
  /** … and then multiplied by this. */
  readonly scale: number;
}

export interface Algorithm {
  /** State arrays per parameter, each of the parameter's length: name and initial value. */
  readonly slots: Readonly<Record<string, number>>;
  /** True where a row whose gradient is zero stays as it is, value and state, so that other rows suffice for an update. */
  readonly acceptsRows: boolean;
  update(parameters: readonly ParameterAddresses[], step: UpdateStep): void;
}

export function algorithmOf(config: OptimizerConfig): Algorithm {
  switch (config.type) {
    case 'sgd':
      return config.momentum === 0 ? sgd(config) : momentum(config);
    case 'adam':
      return adam(config);
    case 'rmsprop':
      return rmsprop(config);
    case 'adagrad':
      return adagrad(config);
  }
}

function sgd({ weightDecay }: ConfigOf<'sgd'>): Algorithm {
  return {
    slots: {},
    acceptsRows: weightDecay === 0,
    update(parameters, { learningRate, limit, scale }) {
      for (const { kernels, value, gradient, length, rows } of parameters) {
        if (rows) kernels.sgdRows(value, gradient, rows.indices, rows.count, rows.width, limit, scale, learningRate);
        else kernels.sgd(value, gradient, length, limit, scale, learningRate, weightDecay);
      }
    },
  };
}

/** `a = momentum * a + g; w -= learningRate * a`, with Nesterov's momentum `w -= learningRate * (g + momentum * a)`. */
function momentum({ momentum, nesterov, weightDecay }: ConfigOf<'sgd'>): Algorithm {
  return {
    slots: { momentum: 0 },
    acceptsRows: false,
    update(parameters, { learningRate, limit, scale }) {
      const gradientRate = nesterov ? learningRate : 0;
      const accumulationRate = nesterov ? learningRate * momentum : learningRate;
      for (const { kernels, value, gradient, length, slots } of parameters)
        kernels.momentum(
          value,
          gradient,
          slots.momentum,
          length,
          limit,
          scale,
          weightDecay,
          momentum,
          gradientRate,
          accumulationRate,
        );
    },
  };
}

/**
 * The numbers of Adam that change from step to step (Kingma & Ba 2015). With c1 = 1 - beta1^t and c2 = 1 - beta2^t, the update learningRate * (m / c1) / (sqrt(v / c2) + epsilon)
 * is stepSize * m / (sqrt(v) + epsilon * sqrt(c2)) with stepSize = learningRate * sqrt(c2) / c1: no division per element
 * for the bias corrections. Weights are multiplied by `shrinkage` (Loshchilov & Hutter 2019).
 */
export function adamNumbers(
  { beta1, beta2, epsilon, weightDecay }: ConfigOf<'adam'>,
  { learningRate, iteration }: Pick<UpdateStep, 'learningRate' | 'iteration'>,
) {
  const rootOfCorrection = Math.sqrt(1 - beta2 ** iteration);
  return {
    stepSize: (learningRate * rootOfCorrection) / (1 - beta1 ** iteration),
    epsilon: epsilon * rootOfCorrection,
    shrinkage: 1 - learningRate * weightDecay,
  };
}

function adam(config: ConfigOf<'adam'>): Algorithm {
  const { beta1, beta2 } = config;
  return {
    slots: { m: 0, v: 0 },
    acceptsRows: false,
    update(parameters, step) {
      const { limit, scale } = step;
      // A tensor that is trained from a later step on has a state of zeros then, as the others had before the first step.
      for (const { kernels, value, gradient, length, slots, stepsBefore } of parameters) {
        const iteration = Math.max(1, step.iteration - stepsBefore);
        const { stepSize, epsilon, shrinkage } = adamNumbers(config, { learningRate: step.learningRate, iteration });
        kernels.adam(
          value,
          gradient,
          slots.m,
          slots.v,
          length,
          limit,
          scale,
          beta1,
          1 - beta1,
          beta2,
          1 - beta2,
          stepSize,
          epsilon,
          shrinkage,
        );
      }
    },
  };
}

/**
 * Centered, the square root is of `s - b^2 + epsilon` as in TensorFlow. TensorFlow.js 4.22 takes it of `s - (b^2 + epsilon)`,
 * which is NaN for every weight whose gradient is always zero, such as that of a pixel that is always black.
 */
function rmsprop({ decay, momentum, epsilon, centered, weightDecay }: ConfigOf<'rmsprop'>): Algorithm {
  return {
    slots: { rms: 0, ...(centered && { mg: 0 }), ...(momentum > 0 && { momentum: 0 }) },
    acceptsRows: false,
    update(parameters, { learningRate, limit, scale }) {
      for (const { kernels, value, gradient, length, slots } of parameters)
        kernels.rmsprop(
          value,
          gradient,
          slots.rms,
          slots.mg ?? 0,
          slots.momentum ?? 0,
          length,
          limit,
          scale,
          learningRate,
          weightDecay,
          decay,
          1 - decay,
          momentum,
          epsilon,
        );
    },
  };
}

function adagrad({ initialAccumulator, epsilon, weightDecay }: ConfigOf<'adagrad'>): Algorithm {
  return {
    slots: { accumulator: initialAccumulator },
    acceptsRows: weightDecay === 0,
    update(parameters, { learningRate, limit, scale }) {
      for (const { kernels, value, gradient, length, rows, slots } of parameters) {
        const accumulator = slots.accumulator;
        if (rows) {
          const { indices, count, width } = rows;
          // prettier-ignore
          kernels.adagradRows(value, gradient, accumulator, indices, count, width, limit, scale, learningRate, epsilon);
        } else kernels.adagrad(value, gradient, accumulator, length, limit, scale, learningRate, weightDecay, epsilon);
      }
    },
  };
}
