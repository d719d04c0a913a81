/**
 * @file The compression policies: when the weights are distorted, and what becomes of the stored weight. With the method
 * (which distortion), a row says all that sets DeepTwist and its baselines apart.
 */
import type { PolicyId } from '../protocol/config.ts';
import { FactoredWeights } from './factoredWeights.ts';
import {
  MaskedWeights,
  ReplacedWeights,
  ShadowedWeights,
  type Projection,
  type StoredWeights,
} from './storedWeights.ts';

export interface Policy {
  /** Whether the stored weights are distorted every S_D steps from t_i on, or after the last step only. */
  readonly distorts: 'every-so-often' | 'at-the-end';
  readonly Stored: new (projection: Projection) => StoredWeights;
  /** The target is applied at once, whatever the schedule of the rate. */
  readonly ignoresSchedule: boolean;
}

export const policies: { readonly [P in PolicyId]: Policy } = {
  deeptwist: { distorts: 'every-so-often', Stored: ReplacedWeights, ignoresSchedule: false },
  'gradual-mask': {
    distorts: 'every-so-often',
    Stored: MaskedWeights,
    ignoresSchedule: false,
  },
  'one-shot': { distorts: 'at-the-end', Stored: ReplacedWeights, ignoresSchedule: true },
  factors: { distorts: 'at-the-end', Stored: FactoredWeights, ignoresSchedule: false },
  'straight-through': { distorts: 'at-the-end', Stored: ShadowedWeights, ignoresSchedule: false },
};
