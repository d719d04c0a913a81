/** @file The table of policies: what is known of each without training by it. */
import type { Method, PolicyId } from '../schema.ts';
import type { MethodFacts } from './facts.ts';
import { methodFacts, methodNames } from './index.ts';

export interface PolicyFacts {
  /** The methods that it works with, by what they leave of a weight; absent where it works with all. */
  readonly leaves?: readonly MethodFacts['leaves'][];
  /** Whose rest it can go on with, by what an earlier compression leaves; absent where it needs whole weights if it has {@link leaves}. */
  readonly follows?: readonly MethodFacts['leaves'][];
  /** What the parameters of each layer must say, by their names; absent where they may say anything. */
  readonly layers?: Readonly<Record<string, string>>;
  /** Names of the settings of a compression that only this policy reads. */
  readonly settings?: readonly string[];
  /** The methods that it does not work with, by the same; absent where there are none. */
  readonly excludes?: readonly MethodFacts['leaves'][];
  /** Tells whether the stored weights are distorted every S_D steps from t_i on, or after the last step only. */
  readonly distorts: 'every-so-often' | 'at-the-end';
  /** True where training goes on as if nothing were compressed, and the target is applied at once after it. */
  readonly ignoresSchedule: boolean;
  /** Reason why a run keeps all settings of its compression; absent where it can take other ones while it trains. */
  readonly keepsSettings?: string;
  /** True where something else is trained in the place of weights, so that what another compression does to them is lost. */
  readonly trainsInstead?: true;
  /** True where each trained number has the sum of many gradients, so that learning rates are far lower than usual. */
  readonly sumsGradients?: true;
  /** True where the choice of the weights that are zero changes until the schedule ends; until the run does, where it has none. */
  readonly changesUntilEnd?: true;
  /** True where training finds how many weights become zero, one by one: layers have neither a rate nor a pattern. */
  readonly findsRate?: true;
  /** True where what is trained beside the weights has a prior of its own, so that no optimizer may let it decay. */
  readonly excludesWeightDecay?: true;
  /** True where steps or evaluations in between compute with compressed weights: what they are is recorded as often as a distortion would be. */
  readonly computesCompressed?: true;
  /** True where the numbers of its layers must be scaled, to have levels between the ends of a bucket. */
  readonly needsBuckets?: true;
  /** True where weights near the threshold are treated apart, so that a method must choose them by one. */
  readonly needsThreshold?: true;
  /** The constraints of layers that it works with: all, those that leave a 0 as it is, or none. */
  readonly constraints: 'all' | 'keeping zeros' | 'none';
}

export const policyFacts: { readonly [P in PolicyId]: PolicyFacts } = {
  deeptwist: {
    distorts: 'every-so-often',
    ignoresSchedule: false,
    constraints: 'all',
  },
  'gradual-mask': {
    leaves: ['zeros'],
    distorts: 'every-so-often',
    ignoresSchedule: false,
    constraints: 'keeping zeros',
  },
  'dynamic-surgery': {
    leaves: ['zeros'],
    distorts: 'at-the-end',
    ignoresSchedule: false,
    needsThreshold: true,
    changesUntilEnd: true,
    computesCompressed: true,
    settings: ['surgery'],
    constraints: 'all',
  },
  rigl: {
    leaves: ['zeros'],
    distorts: 'every-so-often',
    ignoresSchedule: false,
    needsThreshold: true,
    changesUntilEnd: true,
    settings: ['regrowth'],
    constraints: 'keeping zeros',
  },
  'variational-dropout': {
    leaves: ['zeros'],
    distorts: 'at-the-end',
    ignoresSchedule: false,
    findsRate: true,
    excludesWeightDecay: true,
    computesCompressed: true,
    settings: ['variationalDropout'],
    keepsSettings: 'the policy "variational-dropout" trains variances from the first step on',
    constraints: 'all',
  },
  'one-shot': {
    distorts: 'at-the-end',
    ignoresSchedule: true,
    constraints: 'all',
  },
  factors: {
    leaves: ['factors'],
    distorts: 'at-the-end',
    ignoresSchedule: false,
    trainsInstead: true,
    keepsSettings: 'the policy "factors" truncates once, and trains the factors of that rank from then on',
    constraints: 'none',
  },
  'straight-through': {
    settings: ['straightThrough'],
    // What is shrunk for a step and put back afterwards never becomes 0.
    excludes: ['low rank', 'zero units'],
    distorts: 'at-the-end',
    ignoresSchedule: false,
    computesCompressed: true,
    constraints: 'all',
  },
  points: {
    leaves: ['codes'],
    follows: ['zeros'],
    layers: { levels: 'points' },
    settings: ['pointsByGradient'],
    distorts: 'at-the-end',
    ignoresSchedule: false,
    computesCompressed: true,
    trainsInstead: true,
    sumsGradients: true,
    keepsSettings: 'the policy "points" fits the points once, and trains them from then on',
    constraints: 'none',
  },
  'alternating-points': {
    leaves: ['codes'],
    follows: ['zeros'],
    layers: { levels: 'points' },
    needsBuckets: true,
    distorts: 'at-the-end',
    ignoresSchedule: false,
    computesCompressed: true,
    trainsInstead: true,
    sumsGradients: true,
    keepsSettings: 'the policy "alternating-points" trains weights and points by turns, which begin with the schedule',
    constraints: 'none',
  },
};

export function isPolicy(value: unknown): value is PolicyId {
  return typeof value === 'string' && Object.hasOwn(policyFacts, value);
}

export function worksWith(policy: PolicyId, method: Method): boolean {
  const { leaves, excludes } = policyFacts[policy];
  const left = methodFacts[method].leaves;
  return (leaves?.includes(left) ?? true) && !excludes?.includes(left);
}

export const policyNames: readonly PolicyId[] = Object.keys(policyFacts).filter(isPolicy);

/** The policies that work with a method. */
export function suitablePolicies(method: Method): PolicyId[] {
  return policyNames.filter((policy) => worksWith(policy, method));
}

/** Message for a policy that does not work with a method. */
export function unsuitablePolicy(policy: PolicyId, method: Method): string {
  const suitable = methodNames.filter((name) => worksWith(policy, name));
  return `"${policy}" works with the method ${suitable.join(', ')} only, got "${method}"`;
}
