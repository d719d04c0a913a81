/** @file As many runs as a dashboard shows. */
import { l10n } from 'vscode';
import { MOST_SHOWN } from '../../server/protocol/wire/dashboard.ts';
import { showInformation } from '../messages.ts';

/** The first runs to be compared; says so where there are more. */
export function firstShown<Run>(runs: readonly Run[]): readonly Run[] {
  if (runs.length <= MOST_SHOWN) return runs;
  void showInformation(l10n.t('The first {0} of the runs are compared.', MOST_SHOWN));
  return runs.slice(0, MOST_SHOWN);
}
