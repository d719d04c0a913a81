/** @file The ways of giving a budget of bytes out over layers: what each of them takes for the cost of compressing a layer. */
import * as z from 'zod';

/**
 * - `sensitivity`: what the loss on the validation split rises by where the layer alone is compressed (Han et al. 2015).
 * - `energy`: -ln of the part of the sum of the squares of its weights that is left: the scores of LAMP (Lee et al. 2021), added up.
 * - `gradient`: that times the mean square of the layer's gradient and the energy of its weights. For small changes it is the rise of the loss by the
 *   diagonal of the empirical Fisher matrix (HAWQ-V2, Dong et al. 2020, with the Fisher matrix in the place of the Hessian; Polino et al. 2018 give
 *   bits out by gradient norms); for large ones it grows without end, so that no layer loses all of its weights.
 */
export const ways = ['sensitivity', 'gradient', 'energy'] as const;
export type Way = (typeof ways)[number];
/** A number for each way. */
export type Costs = Readonly<Record<Way, number>>;

/** A compression of a layer at one value of its parameter, the layer alone. */
const pointSchema = z.object({
  value: z.number(),
  error: z.number().describe('||W - compressed W||^2 / ||W||^2'),
  rise: z.number().describe('Loss on the validation split, minus that of the model as it is.'),
});
export type CurvePoint = z.output<typeof pointSchema>;

/** What was measured of a weight of the reference. */
export const measuredWeightSchema = z.object({
  name: z.string(),
  energy: z.number().describe('||W||^2'),
  gradient: z.number().describe('Mean of the squares of the gradient, over its numbers and over batches.'),
  curves: z
    .record(z.string(), z.array(pointSchema))
    .describe('By the place of the compression in the list: from the weakest value on.'),
});
export type MeasuredWeight = z.output<typeof measuredWeightSchema>;

/** Least part of a weight's energy that counts as left: a weight of zeros would cost without end. */
const LEAST_LEFT = 1e-6;

/**
 * The cost of a weight by each way.
 * @param stages what each of its compressions does, one after the other
 */
export function costsOf(
  { energy, gradient }: Pick<MeasuredWeight, 'energy' | 'gradient'>,
  stages: readonly Pick<CurvePoint, 'error' | 'rise'>[],
): Costs {
  const left = Math.max(
    LEAST_LEFT,
    stages.reduce((product, { error }) => product * (1 - Math.min(1, error)), 1),
  );
  return {
    sensitivity: stages.reduce((sum, { rise }) => sum + rise, 0),
    gradient: gradient * energy * -Math.log(left),
    energy: -Math.log(left),
  };
}

/**
 * A curve at any value of its parameter: linear between measured points over `place(value)`, and from the last two on beyond them. The error and the
 * rise never fall towards stronger values, as noise would have them do.
 * @param points from the weakest value on; without points, nothing is known and nothing costs
 * @param place of a value on the axis: the strengths of values that are as far apart as they look
 */
export function curveAt(
  points: readonly CurvePoint[],
  value: number,
  place: (value: number) => number,
): Pick<CurvePoint, 'error' | 'rise'> {
  const rising: (Pick<CurvePoint, 'error' | 'rise'> & { at: number })[] = [];
  for (const point of points) {
    const last = rising.at(-1);
    const { error, rise } = {
      error: Math.max(last?.error ?? 0, point.error),
      rise: Math.max(last?.rise ?? 0, point.rise),
    };
    const at = place(point.value);
    if (last?.at === at) rising.pop();
    rising.push({ at, error, rise });
  }
  if (rising.length === 0) return { error: 0, rise: 0 };
  const at = place(value);
  const after = rising.findIndex((point) => point.at >= at);
  if (after === 0 || rising.length === 1) return rising[0];
  const [from, to] = after < 0 ? rising.slice(-2) : [rising[after - 1], rising[after]];
  const part = (at - from.at) / (to.at - from.at);
  const between = (name: 'error' | 'rise') => from[name] + part * (to[name] - from[name]);
  return { error: Math.min(1, between('error')), rise: between('rise') };
}
