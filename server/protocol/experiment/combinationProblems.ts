/** @file Settings that are each right and exclude one another, whatever the model and the data are. */
import { isMethod } from './methods/index.ts';
import { isPolicy, policyFacts, unsuitablePolicy, worksWith } from './methods/policies.ts';
import type { SettingProblem } from './problem.ts';
import { DEFAULT_POLICY } from './schema/compression.ts';
import { valueAt } from './settingPath.ts';

/**
 * Checks that the policy works with the method, that the best model is kept only where no compression would undo it, and the dense one left out only
 * where there is a compressed one.
 * @param document the settings as they stand in the file, before validation
 */
export function combinationProblems(document: unknown): SettingProblem[] {
  const keep = ['training', 'keep'];
  if (valueAt(document, keep) === 'compressed' && valueAt(document, ['compression']) === undefined)
    return [
      {
        path: keep,
        code: 'combination',
        at: 'value',
        message: 'a run without a compression has no compressed form to keep; leave it out',
      },
    ];
  const policy = valueAt(document, ['compression', 'policy']) ?? DEFAULT_POLICY;
  const method = valueAt(document, ['compression', 'method']);
  if (!isPolicy(policy) || !isMethod(method)) return [];
  const problems: SettingProblem[] = [];
  if (!worksWith(policy, method))
    problems.push({
      path: ['compression', 'policy'],
      code: 'combination',
      at: 'value',
      message: unsuitablePolicy(policy, method),
      related: [['compression', 'method']],
    });
  if (valueAt(document, ['training', 'keepBest']) === true && !policyFacts[policy].ignoresSchedule)
    problems.push({
      path: ['training', 'keepBest'],
      code: 'combination',
      at: 'value',
      message: `a run that compresses while it trains (${policy}) ends with its last step; leave it out, or compress at once after training with "policy": "one-shot"`,
      related: [['compression', 'policy']],
    });
  return problems;
}
