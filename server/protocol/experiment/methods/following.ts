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

/** Why a compression of a weight cannot go on with what others leave of it. */
export interface FollowingProblem {
  /** The setting of it that is at fault: the key that names the weight, or the policy. */
  readonly setting: 'key' | 'policy';
  readonly reason: string;
  readonly remedy: string;
}

/**
 * @param before the compressions of the weight that stand before it in the list, at least one
 * @returns undefined where `later` goes on with what they leave of the weight
 */
export function followingProblem(
  later: Follower,
  before: readonly Follower[],
  weight: string,
): FollowingProblem | undefined {
  const earlier = before[before.length - 1];
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
  const policy = policyFacts[later.policy];
  // Factors stay factors, whatever is done to each of them.
  const cut = before.find(({ method }) => methodFacts[method].leaves === 'factors') ?? earlier;
  if (policy.leaves && !policy.follows?.includes(methodFacts[cut.method].leaves))
    return {
      setting: 'policy',
      reason: `"${later.policy}" works with weights as a whole, and of ${weight} it gets what ${cut.place} leaves`,
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
