/** @file Optimizers and clippings that tests hold to the formulas. */
import fc from 'fast-check';
import type { OptimizerConfig, TrainingConfig } from '../../../server/protocol/experiment/schema.ts';

export const sgd = { type: 'sgd', learningRate: 1, momentum: 0, nesterov: false, weightDecay: 0 } as const;
export const adam = { type: 'adam', learningRate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 } as const;

/** Every optimizer with every setting that changes its formula. */
export const config: fc.Arbitrary<OptimizerConfig> = fc
  .record({
    type: fc.constantFrom('sgd', 'adam', 'rmsprop', 'adagrad'),
    momentum: fc.constantFrom(0, 0.9),
    nesterov: fc.boolean(),
    centered: fc.boolean(),
    weightDecay: fc.constantFrom(0, 0.1),
  })
  .map(({ type, momentum, nesterov, centered, weightDecay }): OptimizerConfig => {
    switch (type) {
      case 'sgd':
        return { ...sgd, momentum, nesterov, weightDecay };
      case 'adam':
        return { ...adam, weightDecay };
      case 'rmsprop':
        return { type, learningRate: 1, decay: 0.9, momentum, epsilon: 1e-3, centered, weightDecay };
      case 'adagrad':
        return { type, learningRate: 1, initialAccumulator: 0.1, epsilon: 1e-7, weightDecay };
    }
  });

export const clip: fc.Arbitrary<TrainingConfig['clip']> = fc.constantFrom(
  undefined,
  { value: 0.5 },
  { globalNorm: 0.3 },
  { globalNorm: 1000 },
  { value: 0.5, globalNorm: 0.3 },
);
