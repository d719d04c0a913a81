/** @file What is wrong with `thin` whatever the model and the data are. */
import { methodFacts, methodNames } from './methods/index.ts';
import type { MethodFacts } from './methods/facts.ts';
import { policyFacts } from './methods/policies.ts';
import type { SettingProblem } from './problem.ts';
import { DEFAULT_POLICY } from './schema/compression.ts';
import { valueAt, type SettingPath } from './settingPath.ts';
import { compressionsAsWritten, type WrittenCompression } from './writtenCompression.ts';

const THIN: SettingPath = ['thin'];

/** What is left of a weight by methods whose parameters are a share or a number of what there is: of a smaller layer they mean something else. */
const COUNTED: readonly MethodFacts['leaves'][] = ['zeros', 'factors'];
/** The same by methods that can make whole units 0. */
const UNITS: readonly MethodFacts['leaves'][] = ['zero units', 'unknown'];

/**
 * Checks that some compression makes units 0 while the model trains, and that all of them can go on with a smaller model.
 * @param document the settings as they stand in the file, before validation
 */
export function thinProblems(document: unknown): SettingProblem[] {
  if (valueAt(document, THIN) === undefined) return [];
  const compressions = compressionsAsWritten(document);
  const problems = compressions.flatMap(compressionProblems);
  return problems.length > 0 || compressions.some(makesUnitsZero) ? problems : [nothingToRemove()];
}

function compressionProblems({ path, method, policy }: WrittenCompression): SettingProblem[] {
  const problem = (name: string, message: string): SettingProblem[] => [
    { path: [...path, name], code: 'combination', at: 'value', message, related: [THIN] },
  ];
  if (method && COUNTED.includes(methodFacts[method].leaves))
    return problem(
      'method',
      `what "${method}" leaves is counted by the size of a layer, which thin makes smaller while the model trains; leave thin out, ` +
        'and run `deeptwist thin` when the run is finished',
    );
  if (policy && policyFacts[policy].trainsInstead)
    return problem(
      'policy',
      `"${policy}" trains something else in the place of weights, which thin makes smaller while the model trains; choose another policy`,
    );
  return [];
}

/** Also where the method or the policy is missing or wrong: that is told elsewhere. */
function makesUnitsZero({ method, policy }: WrittenCompression): boolean {
  const canBe = !method || UNITS.includes(methodFacts[method].leaves);
  return canBe && (!policy || policyFacts[policy].distorts === 'every-so-often');
}

function nothingToRemove(): SettingProblem {
  const methods = methodNames.filter((name) => UNITS.includes(methodFacts[name].leaves));
  const message =
    'no compression makes units 0 while the model trains; add one with the method ' +
    `${methods.map((name) => `"${name}"`).join(' or ')} and the policy "${DEFAULT_POLICY}"`;
  return { path: THIN, code: 'combination', at: 'key', message, related: [['compression']] };
}
