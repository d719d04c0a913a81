/** @file The predicted size of weights of which only training, or a user's function, tells what it leaves. */
import { elementCount } from '../../protocol/shape.ts';
import { denseSize, type CompressedSize } from '../size.ts';
import type { NamedWeight } from '../targets/targets.ts';

/** That of the dense weight. */
export function predictedDense(targets: readonly { readonly weight: NamedWeight }[]): CompressedSize[] {
  return targets.map(({ weight }) => denseSize(elementCount(weight.shape)));
}
