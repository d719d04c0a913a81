/** @file Errors as a user meets them: what is wrong and what to do in a message, the rest in the log. */
import { l10n, type LogOutputChannel } from 'vscode';
import { UserError } from '../../server/protocol/userError.ts';
import { showError } from '../messages.ts';

/** Shows an error; does not wait for the answer. */
export function reportError(error: unknown, log: LogOutputChannel): void {
  const showLog = l10n.t('Show Log');
  const known = error instanceof UserError;
  const text = known ? [error.message, error.remedy].filter((part) => part !== undefined).join(' ') : String(error);
  log.error(error instanceof Error ? (known ? text : (error.stack ?? text)) : text);
  void showError(text, showLog).then((answer) => answer === showLog && log.show());
}
