/** @file Errors as a user meets them: what is wrong and what to do in a message, the rest in the log. */
import { l10n, type LogOutputChannel } from 'vscode';
import { explainSystemError } from '../../server/protocol/systemError.ts';
import { UserError } from '../../server/protocol/userError.ts';
import { showError } from '../messages.ts';

/** Shows an error; does not wait for the answer. */
export function reportError(error: unknown, log: LogOutputChannel): void {
  const showLog = l10n.t('Show Log');
  const explained = explainSystemError(error);
  const known = explained instanceof UserError;
  const text = known
    ? [explained.message, explained.remedy].filter((part) => part !== undefined).join(' ')
    : String(error);
  log.error(error instanceof Error ? (known ? text : (error.stack ?? text)) : text);
  void showError(text, showLog).then((answer) => answer === showLog && log.show());
}
