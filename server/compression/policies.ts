/**
 * @file The compression policies: what becomes of the stored weight. With the method (which distortion) and the traits of
 * protocol/experiment/methods/policies.ts (when), a row says all that sets DeepTwist and its baselines apart.
 */
import type { PolicyId } from '../protocol/experiment/schema.ts';
import { FactoredWeights } from './stored/factoredWeights.ts';
import {
  MaskedWeights,
  ReplacedWeights,
  ShadowedWeights,
  type Projection,
  type StoredWeights,
} from './stored/storedWeights.ts';

export interface Policy {
  readonly Stored: new (projection: Projection) => StoredWeights;
  /** The target is applied at once, whatever the schedule of the rate. */
  readonly ignoresSchedule: boolean;
  /** True where the policy needs the gradient of every entry: the gradient of an embedding may not come as rows then. */
  readonly denseGradients: boolean;
}

export const policies: { readonly [P in PolicyId]: Policy } = {
  deeptwist: { Stored: ReplacedWeights, ignoresSchedule: false, denseGradients: false },
  'gradual-mask': { Stored: MaskedWeights, ignoresSchedule: false, denseGradients: true },
  'one-shot': { Stored: ReplacedWeights, ignoresSchedule: true, denseGradients: false },
  factors: { Stored: FactoredWeights, ignoresSchedule: false, denseGradients: true },
  'straight-through': { Stored: ShadowedWeights, ignoresSchedule: false, denseGradients: false },
};
