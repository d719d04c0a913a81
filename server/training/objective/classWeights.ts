/** @file What the samples of each class count for in the training loss. */
import type { Dataset } from '../../data/dataset.ts';
import { didYouMean } from '../../protocol/experiment/didYouMean.ts';
import type { TrainingConfig } from '../../protocol/experiment/schema.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';

/**
 * `balanced` is samples / (classes x samples of the class), as scikit-learn has it, over the classes that there are.
 * @param outputs number of classes that the model tells apart
 * @param target index of the target that has the labels
 * @param path of the setting
 * @returns a weight for each of them; 1 where nothing is said
 * @throws SettingError for a class that there is not, and where samples cannot be counted
 */
export function classWeightsOf(
  setting: NonNullable<TrainingConfig['classWeights']>,
  { classes, countLabels }: Pick<Dataset, 'classes' | 'countLabels'>,
  outputs: number,
  { target, path }: { readonly target: number; readonly path: SettingPath },
): number[] {
  const weights = new Array<number>(outputs).fill(1);
  if (setting === 'balanced') {
    const counts = countLabels?.(outputs, target);
    if (counts === undefined)
      throw new SettingError(path, '"balanced" counts the samples of each class, which these data do not tell', {
        remedy: 'Write a number for each class: { "0": 1, "1": 2.5 }.',
      });
    const samples = counts.reduce((sum, count) => sum + count, 0);
    const there = counts.filter((count) => count > 0).length;
    counts.forEach((count, label) => {
      if (count > 0) weights[label] = samples / (there * count);
    });
    return weights;
  }
  const names = classes ?? weights.map((_, label) => String(label));
  for (const [name, weight] of Object.entries(setting)) {
    const label = names.indexOf(name);
    if (label < 0 || label >= outputs) {
      const meant = didYouMean(name, names);
      const hint = meant === undefined ? `there are ${names.slice(0, 8).join(', ')}` : `did you mean '${meant}'?`;
      throw new SettingError([...path, name], `there is no class of this name; ${hint}`, { at: 'key' });
    }
    weights[label] = weight;
  }
  return weights;
}
