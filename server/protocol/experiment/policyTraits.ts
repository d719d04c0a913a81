/** @file What is known of a policy without training by it: the methods that it works with, and when it distorts. */
import type { Method, PolicyId } from './schema.ts';

export interface PolicyTraits {
  readonly methods: readonly Method[];
  /** Whether the stored weights are distorted every S_D steps from t_i on, or after the last step only. */
  readonly distorts: 'every-so-often' | 'at-the-end';
}

const all: readonly Method[] = ['prune', 'quantize', 'low-rank', 'custom'];

export const policyTraits: { readonly [P in PolicyId]: PolicyTraits } = {
  deeptwist: { methods: all, distorts: 'every-so-often' },
  'gradual-mask': { methods: ['prune'], distorts: 'every-so-often' },
  'one-shot': { methods: all, distorts: 'at-the-end' },
  factors: { methods: ['low-rank'], distorts: 'at-the-end' },
  'straight-through': { methods: all, distorts: 'at-the-end' },
};

export function isPolicy(value: unknown): value is PolicyId {
  return typeof value === 'string' && Object.hasOwn(policyTraits, value);
}

/** The policies that work with a method. */
export function suitablePolicies(method: Method): PolicyId[] {
  return Object.keys(policyTraits)
    .filter(isPolicy)
    .filter((policy) => policyTraits[policy].methods.includes(method));
}

/** What is wrong where a policy does not work with a method. */
export function unsuitablePolicy(policy: PolicyId, method: Method): string {
  return `"${policy}" works with the method ${policyTraits[policy].methods.join(', ')} only, got "${method}"`;
}
