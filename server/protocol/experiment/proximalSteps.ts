/** @file What the settings of a proximal method come to, whatever the weights are. */
import { methodFacts } from './methods/index.ts';
import type { Method } from './schema.ts';

/** The optimizer whose steps a proximal step goes with. */
const EXACT_FOR = 'sgd';

/**
 * What is wrong with an optimizer whose steps a method's proximal steps do not go with; undefined where nothing is.
 * @param optimizer `training.optimizer.type`
 */
export function unsuitedOptimizer(method: Method, optimizer: string): string | undefined {
  if (methodFacts[method].proximal === undefined || optimizer === EXACT_FOR) return undefined;
  return (
    `the proximal steps of "${method}" belong to "${EXACT_FOR}": with "${optimizer}", which scales the step of each weight by its own ` +
    'gradients, a threshold of learning rate x strength is a rule of thumb'
  );
}

/**
 * What a proximal step takes off: the learning rate times the strength of a layer, or the strength itself.
 * @param threshold as the file has it; default: times the learning rate
 */
export function thresholdOf(strength: number, threshold: string | undefined, learningRate: number): number {
  return (threshold ?? TIMES_RATE).startsWith(TIMES_RATE) ? learningRate * strength : strength;
}

const TIMES_RATE = 'lr*';
