/** @file The predicted size of weights of which only training tells what is left. */
import { elementCount } from '../../protocol/shape.ts';
import { denseSize } from '../size.ts';
import type { NamedWeight } from '../targets/targets.ts';
import type { PredictedSize } from './unit.ts';

/** That of the dense weight; a further compression goes on with all of it. */
export function predictedDense(targets: readonly { readonly weight: NamedWeight }[]): PredictedSize[] {
  return targets.map(({ weight }) => ({
    ...denseSize(elementCount(weight.shape)),
    left: { tensors: [weight], otherBits: 0 },
  }));
}
