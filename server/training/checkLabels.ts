/** @file A label beyond the classes has no one-hot code: it would train nothing, in silence. */
import { PADDING, type Batch } from '../data/dataset.ts';
import { UserError } from '../protocol/userError.ts';

/**
 * @param classes of each target; undefined where it has no labels
 * @throws UserError naming the first label that is not in [0, classes)
 */
export function checkLabels(batch: Batch, classes: readonly (number | undefined)[]): void {
  classes.forEach((count, index) => {
    if (count !== undefined) checkLabelsOf(batch, index, count);
  });
}

function checkLabelsOf(batch: Batch, target: number, classes: number): void {
  for (const label of batch.targets[target]) {
    if ((label >= 0 && label < classes) || (label === PADDING && batch.counted !== undefined)) continue;
    const which = batch.targets.length === 1 ? 'a target' : `target ${target + 1}`;
    throw new UserError(
      `data: ${which} has the label ${label}; the model's output has ${classes} classes, 0 to ${classes - 1}.`,
      {
        remedy:
          'Give the last layer one output for each class, or correct the labels; numbers that are no classes have a loss such as "mean-squared-error".',
      },
    );
  }
}
