/** @file What is wrong with `distillation` whatever the model, the data and the teacher are. */
import { hasEnding, teacherEndings } from '../model/modelEndings.ts';
import { classLosses, isLoss, lossFacts } from './lossFacts.ts';
import type { SettingProblem } from './problem.ts';
import { namesRun } from './runReference.ts';
import { valueAt } from './settingPath.ts';

/**
 * Checks that there are classes to tell apart, and that the teacher is something that has been trained.
 * @param document the settings as they stand in the file, before validation
 */
export function distillationProblems(document: unknown): SettingProblem[] {
  if (valueAt(document, ['distillation']) === undefined) return [];
  return [...lossProblems(document), ...teacherProblems(document)];
}

function lossProblems(document: unknown): SettingProblem[] {
  const loss = ['training', 'loss'];
  const id = valueAt(document, loss);
  if (!isLoss(id) || lossFacts[id].outputs !== undefined) return [];
  const message =
    `it is for classes, one of which a sample belongs to, and not for the loss "${id}"; leave it out, or choose one of ` +
    classLosses.join(', ');
  return [{ path: ['distillation'], code: 'combination', at: 'key', message, related: [loss] }];
}

function teacherProblems(document: unknown): SettingProblem[] {
  const path = ['distillation', 'teacher'];
  const teacher = valueAt(document, path);
  if (typeof teacher !== 'string' || teacher === '' || namesRun(teacher)) return [];
  if (hasEnding(teacher, teacherEndings)) return [];
  const message =
    `${teacher} holds no trained weights; name a run (run:NAME), a model.json, an .onnx, .keras or .h5 file, a .safetensors file with its layers, or a model ` +
    `with its weights: { "model": ${JSON.stringify(teacher)}, "weights": … }`;
  return [{ path, code: 'unfit', at: 'value', message }];
}
