/** @file By which data the final model of a run was chosen: what a reader of its test result has to know. */
import type { RunSnapshot } from './runHistory.ts';
import { leftTestAlone } from './testMetric.ts';

/** Sentences about one run by itself. */
export function selectionText({
  started,
  evaluations,
  end,
}: Pick<RunSnapshot, 'started' | 'evaluations' | 'end'>): string {
  const chosen = started?.config.training.keepBest
    ? 'The final model is the one with the lowest loss on the validation split.'
    : 'The final model is that of the last step: no split chose it.';
  const watched = evaluations.filter(({ split, moment }) => split === 'test' && moment === 'training').length;
  if (watched === 0) {
    const isUnread = end?.type === 'finished' && leftTestAlone(end.summary);
    return `${chosen} The test split was ${isUnread ? 'not read' : 'read at the end alone'}.`;
  }
  const times = watched === 1 ? 'once' : `${watched} times`;
  // Runs of earlier versions could follow it where there was no validation split.
  const followed = started?.config.training.learningRateSchedule.type === 'plateau';
  const told = followed ? 'and the learning rate followed it' : 'which changed nothing of the training';
  return `${chosen} The test split was evaluated ${times} while it trained, ${told}.`;
}
