/**
 * @file The compression policies: what is stored and trained. With the method (which distortion) and the facts of
 * protocol/experiment/methods/policies.ts (when), a row says all that sets DeepTwist and its baselines apart.
 */
import type { Compression, PolicyId } from '../protocol/experiment/schema.ts';
import type { Unit } from './methods/unit.ts';
import { AlternatingPoints } from './stored/alternatingPoints.ts';
import { factorsOf, FactoredWeights } from './stored/factoredWeights.ts';
import { MaskedWeights } from './stored/maskedWeights.ts';
import { RegrownWeights } from './stored/regrownWeights.ts';
import { ShadowedWeights } from './stored/shadowedWeights.ts';
import { SurgeryWeights } from './stored/surgeryWeights.ts';
import {
  PlainWeights,
  type Projection,
  type NoisyWeight,
  type StoredWeights,
  type TensorSpec,
  type TrainedTensor,
} from './stored/storedWeights.ts';
import { pointsOf, TrainedPoints } from './stored/trainedPoints.ts';
import { noiseOf, VariationalWeights } from './stored/variationalWeights.ts';

export interface Policy {
  readonly Stored: new (projection: Projection, tensors: ReadonlyMap<string, TrainedTensor>) => StoredWeights;
  /** What the optimizer trains in the place of a unit's weights; absent where it trains the weights themselves. */
  trainedInstead?(unit: Unit): readonly TensorSpec[];
  /** The distributions of a unit's weights; absent where weights are numbers. */
  noise?(unit: Unit, compression: Compression): readonly Omit<NoisyWeight, 'path'>[];
  /** True where it trains the weights by turns with that. */
  readonly trainsByTurns?: true;
  /** True where the policy needs the gradient of every entry: the gradient of an embedding may not come as rows then. */
  readonly denseGradients: boolean;
}

export const policies: { readonly [P in PolicyId]: Policy } = {
  deeptwist: { Stored: PlainWeights, denseGradients: false },
  'gradual-mask': { Stored: MaskedWeights, denseGradients: true },
  'dynamic-surgery': { Stored: SurgeryWeights, denseGradients: false },
  rigl: { Stored: RegrownWeights, denseGradients: true },
  'variational-dropout': { Stored: VariationalWeights, noise: noiseOf, denseGradients: false },
  'one-shot': { Stored: PlainWeights, denseGradients: false },
  factors: { Stored: FactoredWeights, trainedInstead: factorsOf, denseGradients: true },
  'straight-through': { Stored: ShadowedWeights, denseGradients: false },
  points: { Stored: TrainedPoints, trainedInstead: pointsOf, denseGradients: true },
  'alternating-points': {
    Stored: AlternatingPoints,
    trainedInstead: pointsOf,
    trainsByTurns: true,
    denseGradients: true,
  },
};
