/** @file A user's own function as a compression method. */
import { DenseWeight } from '../../../formats/packed/dense.ts';
import { elementCount } from '../../../protocol/shape.ts';
import { denseSize } from '../../size.ts';
import { matchTargets, type Target } from '../../targets/targets.ts';
import { stateless, type MethodRow, type ParametersOf, type RunFacts, type Unit } from '../unit.ts';
import { distortByUser } from './custom.ts';

export const customMethod: MethodRow<'custom'> = {
  createUnits: ({ layers, module }, weights, run) =>
    matchTargets(layers, weights).map((target) => createUnit(target, module, run)),
  /** Only the function knows what it leaves: the size is that of the dense weight. */
  predictSizes: (targets) => targets.map(({ weight }) => denseSize(elementCount(weight.shape))),
};

/** @param module its path in the experiment file, for messages */
function createUnit(target: Target<ParametersOf<'custom'>>, module: string, { custom, steps, seed }: RunFacts): Unit {
  const { weight, parameters } = target;
  return {
    ...stateless,
    targets: [target],
    settingAt: () => ({}),
    async distort([values], { step }) {
      if (!custom) throw new TypeError('A custom compression needs the distort function of its module.');
      const context = { name: weight.name, step, steps, seed, parameters };
      return [await distortByUser(custom, module, weight.shape, values, context)];
    },
    /** Only the function knows how its form is written. */
    packed: ([values]) => [new DenseWeight(weight.shape, values)],
    sizes: ([values], [compressed]) => [compressed?.form === 'custom' ? compressed.size : denseSize(values.length)],
  };
}
