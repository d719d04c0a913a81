/**
 * @file Messages of the editor. Their words may come from files: names of runs, problems, what a process printed last. VS Code makes
 * links of `[TEXT](command:NAME)` in them, which would run any command at a click; here they stay words.
 */
import { l10n, window, type LogOutputChannel, type MessageItem } from 'vscode';
import { withoutLinks } from '../server/protocol/markdown.ts';
import { explainSystemError } from '../server/protocol/systemError.ts';
import { UserError } from '../server/protocol/userError.ts';
import { stackOf } from '../server/protocol/thrown.ts';

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

/** What is wrong, and what to do where that is known. */
export function withRemedy(problem: Partial<Pick<UserError, 'message' | 'remedy'>> | undefined): string {
  return [problem?.message, problem?.remedy].filter((part) => part !== undefined).join(' ');
}

/** Shows what is wrong and what to do, without waiting for the answer, and logs the rest of the error. */
export function reportError(error: unknown, log: LogOutputChannel): void {
  const showLog = l10n.t('Show Log');
  const explained = explainSystemError(error);
  const known = explained instanceof UserError;
  const text = known ? withRemedy(explained) : String(error);
  log.error(known ? text : stackOf(error));
  void showError(text, showLog).then((answer) => answer === showLog && log.show());
}
