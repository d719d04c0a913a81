/** @file Why something could not be measured, told with what a user can do. */
import { l10n } from 'vscode';
import { stackOf } from '../../server/protocol/thrown.ts';
import { UserError, inOneLine } from '../../server/protocol/userError.ts';
import { showError } from '../messages.ts';
import type { Services } from '../services.ts';

/**
 * Says what is wrong, and does what the user answers.
 * @param again measures once more, with the option of the command that ignores changed files
 */
export async function tellFailure(
  { log }: Services,
  error: unknown,
  again: (option: string) => Promise<unknown>,
): Promise<void> {
  log.error(stackOf(error));
  const option = error instanceof UserError ? error.option : undefined;
  const allTheSame = l10n.t('Measure With Changed Files');
  const showLog = l10n.t('Show Log');
  const answers = option === undefined ? [showLog] : [allTheSame, showLog];
  const answer = await showError(error instanceof UserError ? inOneLine(error) : String(error), ...answers);
  if (answer === showLog) log.show();
  if (answer === allTheSame && option !== undefined) await again(option);
}
