/** @file What is wrong with `training.classWeights` whatever the model and the data are. */
import { classLosses, isClassLoss, isLoss } from './lossFacts.ts';
import type { SettingProblem } from './problem.ts';
import { valueAt } from './settingPath.ts';

const WEIGHTS = ['training', 'classWeights'];
const LOSS = ['training', 'loss'];
const ASK = ['distillation', 'ask'];

/**
 * Checks that there are classes, and that no sample has a loss of its own that knows no weights, as those have that do not ask a teacher.
 * @param document the settings as they stand in the file, before validation
 */
export function classWeightProblems(document: unknown): SettingProblem[] {
  if (valueAt(document, WEIGHTS) === undefined) return [];
  const problem = (message: string, related: string[]): SettingProblem => ({
    path: WEIGHTS,
    code: 'combination',
    at: 'key',
    message,
    related: [related],
  });
  const loss = valueAt(document, LOSS);
  const problems: SettingProblem[] = [];
  if (isLoss(loss) && !isClassLoss(loss))
    problems.push(
      problem(`it is for classes, and not for the loss "${loss}"; choose one of ${classLosses.join(', ')}`, LOSS),
    );
  if ((valueAt(document, ASK) ?? 'always') !== 'always')
    problems.push(
      problem('samples count by their classes only where each of them asks the teacher; leave it out', ASK),
    );
  return problems;
}
