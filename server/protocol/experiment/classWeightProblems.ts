/** @file What is wrong with weights of classes and of outputs whatever the model and the data are. */
import { isRecord } from '../record.ts';
import { classLosses, isClassLoss, isLoss } from './lossFacts.ts';
import type { SettingProblem } from './problem.ts';
import { valueAt, type SettingPath } from './settingPath.ts';

const WEIGHTS = ['training', 'classWeights'];
const LOSS = ['training', 'loss'];
const ASK = ['distillation', 'ask'];

/**
 * Checks that there are classes, and that no sample has a loss of its own that knows no weights, as those have that do not ask a teacher.
 * @param document the settings as they stand in the file, before validation
 */
export function classWeightProblems(document: unknown): SettingProblem[] {
  const problem = (path: SettingPath, message: string, related: string[]): SettingProblem => ({
    path: [...path],
    code: 'combination',
    at: 'key',
    message,
    related: [related],
  });
  const loss = valueAt(document, LOSS);
  const hasClassWeights = valueAt(document, WEIGHTS) !== undefined;
  const problems: SettingProblem[] = [];
  if (hasClassWeights && isLoss(loss) && !isClassLoss(loss))
    problems.push(
      problem(
        WEIGHTS,
        `it is for classes, and not for the loss "${loss}"; choose one of ${classLosses.join(', ')}`,
        LOSS,
      ),
    );
  if ((valueAt(document, ASK) ?? 'always') === 'always') return problems;
  const ofOutputs = Object.entries(isRecord(loss) ? loss : {}).flatMap(([output, own]): SettingPath[] => [
    ...(valueAt(own, ['classWeights']) === undefined ? [] : [[...LOSS, output, 'classWeights']]),
    ...((valueAt(own, ['weight']) ?? 1) === 1 ? [] : [[...LOSS, output, 'weight']]),
  ]);
  for (const path of [...(hasClassWeights ? [WEIGHTS] : []), ...ofOutputs])
    problems.push(
      problem(
        path,
        path.at(-1) === 'weight'
          ? 'outputs have weights only where each sample asks the teacher; leave it out'
          : 'samples count by their classes only where each of them asks the teacher; leave it out',
        ASK,
      ),
    );
  return problems;
}
