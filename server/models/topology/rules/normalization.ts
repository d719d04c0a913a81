/** @file Normalization. */
import type { Rule } from '../layerCall.ts';

/** As it predicts, by its averages. Without a scale or a center, it has 1 and 0. A scale of 0 leaves the center of whatever comes. */
export const batchNormalization: Rule = (call) => {
  const { length } = call.inputs[0].shape;
  if ((Number(call.setting('axis')) + length) % length !== length - 1)
    return call.stops(`${call.path} normalizes another axis`);
  for (const name of ['gamma', 'beta', 'moving_mean', 'moving_variance']) call.label(name, 0, call.units);
  const epsilon = Number(call.setting('epsilon'));
  return call.passes((constants, weights) => {
    const [scales, centers, means, variances] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name) =>
      call.valuesOf(weights, name),
    );
    return constants.map((value, place) => {
      const scale = scales?.[place] ?? 1;
      const center = centers?.[place] ?? 0;
      if (scale === 0) return center;
      return (scale * (value - means![place])) / Math.sqrt(variances![place] + epsilon) + center;
    });
  });
};
