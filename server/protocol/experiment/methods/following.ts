/** @file The compressions that can go on with what an earlier one of the same list leaves of a weight. */
import type { Method, PolicyId } from '../schema.ts';
import { methodFacts, methodNames } from './index.ts';
import { policyFacts } from './policies.ts';

/** A compression that has a weight which another one has, too. */
export interface Follower {
  readonly method: Method;
  readonly policy: PolicyId;
  /** `compression[1]` */
  readonly place: string;
}

/** Why the second of two compressions of a weight cannot be. */
export interface FollowingProblem {
  /** The setting of the second that is at fault: the key that names the weight, or the policy. */
  readonly setting: 'key' | 'policy';
  readonly reason: string;
  readonly remedy: string;
}

/** @returns undefined where `later` goes on with what `earlier` leaves of the weight */
export function followingProblem(later: Follower, earlier: Follower, weight: string): FollowingProblem | undefined {
  const { leaves } = methodFacts[earlier.method];
  if (!methodFacts[later.method].follows.includes(leaves)) {
    const able = methodNames.filter((name) => methodFacts[name].follows.includes(leaves));
    return {
      setting: 'key',
      reason: `${weight} is compressed by ${earlier.place} before, and "${later.method}" cannot go on with what "${earlier.method}" leaves`,
      remedy:
        able.length === 0
          ? 'Leave the layer out of one of the two.'
          : `Leave the layer out of one of the two. After "${earlier.method}" there can be: ${able.join(', ')}.`,
    };
  }
  if (policyFacts[later.policy].leaves && !policyFacts[later.policy].follows?.includes(leaves))
    return {
      setting: 'policy',
      reason: `"${later.policy}" works with weights as a whole, and of ${weight} it gets what ${earlier.place} leaves`,
      remedy: 'Choose "deeptwist", "straight-through" or "one-shot".',
    };
  if (policyFacts[earlier.policy].findsRate && policyFacts[later.policy].trainsInstead)
    return {
      setting: 'policy',
      reason: `it would begin before ${earlier.place}, by the policy "${earlier.policy}", has found which numbers of ${weight} become zero: that is after the last step`,
      remedy: 'Choose "deeptwist", "straight-through" or "one-shot".',
    };
  if (policyFacts[earlier.policy].trainsInstead && policyFacts[later.policy].distorts === 'every-so-often')
    return {
      setting: 'policy',
      reason: `what it does to ${weight} would be lost: by the policy "${earlier.policy}" of ${earlier.place}, that weight is computed anew at each step`,
      remedy: 'Choose "straight-through" or "one-shot".',
    };
  return undefined;
}
