/** @file Which compression methods a policy can be combined with. */
import type { Method, PolicyId } from './config.ts';

const all: readonly Method[] = ['prune', 'quantize', 'low-rank', 'custom'];

export const policyMethods: { readonly [P in PolicyId]: readonly Method[] } = {
  deeptwist: all,
  'gradual-mask': ['prune'],
  'one-shot': all,
  factors: ['low-rank'],
  'straight-through': all,
};

/** What is wrong where a policy does not work with a method. */
export function unsuitablePolicy(policy: PolicyId, method: Method): { reason: string; suitable: PolicyId[] } {
  const suitable = (Object.keys(policyMethods) as PolicyId[]).filter((other) => policyMethods[other].includes(method));
  const reason = `"${policy}" works with the method ${policyMethods[policy].join(', ')} only, got "${method}"`;
  return { reason, suitable };
}
