/** @file A label beyond the classes has no one-hot code: it would train nothing, in silence. */
import { PADDING, type Batch } from '../data/dataset.ts';
import { UserError } from '../protocol/userError.ts';

/** @throws UserError naming the first label that is not in [0, classes) */
export function checkLabels(batch: Batch, classes: number | undefined): void {
  if (classes === undefined) return;
  for (const label of batch.targets[0]) {
    if ((label >= 0 && label < classes) || (label === PADDING && batch.counted !== undefined)) continue;
    throw new UserError(
      `data: a target has the label ${label}; the model's output has ${classes} classes, 0 to ${classes - 1}.`,
      {
        remedy: 'Give the last layer one output for each class, or correct the labels.',
      },
    );
  }
}
