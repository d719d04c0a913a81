/**
 * @file The compression policies: when the weights are distorted, and what becomes of the stored weight. With the method
 * (which distortion), a row says all that sets DeepTwist and its baselines apart.
 */
import type { PolicyId } from '../protocol/config.ts';
import { FactoredWeights } from './factoredWeights.ts';
import { isDistortionStep, type Timing } from './schedule.ts';
import {
  MaskedWeights,
  ReplacedWeights,
  ShadowedWeights,
  type Projection,
  type StoredWeights,
} from './storedWeights.ts';

export interface Policy {
  /** Whether the stored weights are distorted right after a step, the last step apart: the run always ends with one. */
  readonly distortsAfter: (step: number, timing: Timing) => boolean;
  readonly Stored: new (projection: Projection) => StoredWeights;
  /** The target is applied at once, whatever the schedule of the rate. */
  readonly ignoresSchedule: boolean;
}

const atTheEnd = () => false;

export const policies: { readonly [P in PolicyId]: Policy } = {
  deeptwist: { distortsAfter: isDistortionStep, Stored: ReplacedWeights, ignoresSchedule: false },
  'gradual-mask': {
    distortsAfter: isDistortionStep,
    Stored: MaskedWeights,
    ignoresSchedule: false,
  },
  'one-shot': { distortsAfter: atTheEnd, Stored: ReplacedWeights, ignoresSchedule: true },
  factors: { distortsAfter: atTheEnd, Stored: FactoredWeights, ignoresSchedule: false },
  'straight-through': { distortsAfter: atTheEnd, Stored: ShadowedWeights, ignoresSchedule: false },
};
