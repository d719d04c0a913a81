/**
 * @file Messages of the editor. Their words may come from files: names of runs, problems, what a process printed last. VS Code makes
 * links of `[TEXT](command:NAME)` in them, which would run any command at a click; here they stay words.
 */
import { commands, l10n, window, type LogOutputChannel, type MessageItem } from 'vscode';
import { withoutLinks } from '../server/protocol/markdown.ts';
import { explainSystemError } from '../server/protocol/systemError.ts';
import { UserError, inOneLine } from '../server/protocol/userError.ts';
import { stackOf } from '../server/protocol/thrown.ts';

/** VS Code's command that opens the editor of Workspace Trust. */
export const MANAGE_TRUST = 'workbench.trust.manage';

/** What is refused because the workspace is not trusted. */
export class NotTrusted extends UserError {}

type Answer = string | MessageItem;

/** @returns the answer that was chosen; undefined where the message was closed */
export function showInformation<A extends Answer>(message: string, ...answers: A[]): Thenable<A | undefined> {
  return window.showInformationMessage(withoutLinks(message), ...(answers as string[])) as Thenable<A | undefined>;
}

/** As {@link showInformation}. */
export function showWarning<A extends Answer>(message: string, ...answers: A[]): Thenable<A | undefined> {
  return window.showWarningMessage(withoutLinks(message), ...(answers as string[])) as Thenable<A | undefined>;
}

/** As {@link showInformation}. */
export function showError<A extends Answer>(message: string, ...answers: A[]): Thenable<A | undefined> {
  return window.showErrorMessage(withoutLinks(message), ...(answers as string[])) as Thenable<A | undefined>;
}

/** Asks in a dialog, which waits for the answer. @returns whether the user wants it */
export async function confirmed(question: string, detail: string, answer: string): Promise<boolean> {
  const options = { modal: true, detail: withoutLinks(detail) };
  return (await window.showWarningMessage(withoutLinks(question), options, answer)) === answer;
}

/** For what needs a folder in a window that has none. */
export async function offerFolder(): Promise<void> {
  const open = l10n.t('Open Folder…');
  const answer = await showInformation(
    l10n.t('An experiment is a file in a folder. Open the folder of your model first, or an empty one.'),
    open,
  );
  if (answer === open) await commands.executeCommand('workbench.action.files.openFolder');
}

/** What is wrong, and what to do where that is known; nothing where neither is. */
export function withRemedy(problem: Parameters<typeof inOneLine>[0] | undefined): string {
  return problem ? inOneLine(problem) : '';
}

/** Shows what is wrong and what to do, without waiting for the answer, and logs the rest of the error. */
export function reportError(error: unknown, log: LogOutputChannel): void {
  const explained = explainSystemError(error);
  const known = explained instanceof UserError;
  const text = known ? withRemedy(explained) : String(error);
  log.error(known ? text : stackOf(error));
  const isTrustMissing = explained instanceof NotTrusted;
  const answer = isTrustMissing ? l10n.t('Manage Trust') : l10n.t('Show Log');
  void showError(text, answer).then((chosen) => {
    if (chosen !== answer) return;
    if (isTrustMissing) void commands.executeCommand(MANAGE_TRUST);
    else log.show();
  });
}
