/** @file Layers that apply another layer. */
import type * as tf from '@tensorflow/tfjs';
import type { Rule } from '../layerCall.ts';

/** The layer within at each time step, the first axis. */
export const timeDistributed: Rule = (call) => {
  const { layer } = call.layer as tf.layers.Layer & { layer: tf.layers.Layer };
  const [{ shape, units }] = call.inputs;
  const step = { shape: [shape[0], ...shape.slice(2)], units };
  call.passesTo(step);
  const within = call.followTimes(shape[1] ?? 1, layer, [step]);
  return call.returns(
    within.map((signal) => signal.units),
    (constants) => constants,
    { from: within },
  );
};
