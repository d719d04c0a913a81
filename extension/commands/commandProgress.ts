/** @file A command of `deeptwist` while it runs: a notification with its progress, and a button that cancels. */
import { ProgressLocation, Uri, l10n, window, type CancellationToken } from 'vscode';
import { withoutLinks } from '../../server/protocol/markdown.ts';
import { stackOf } from '../../server/protocol/thrown.ts';
import { UserError, inOneLine } from '../../server/protocol/userError.ts';
import { nodePath } from '../cli/nodePath.ts';
import type { ReportingProcess } from '../../server/commandClient/runReporting.ts';
import { showError } from '../messages.ts';
import type { Services } from '../services.ts';
import { progressPercent, progressText } from './exportText.ts';

/**
 * @param title of the notification
 * @param token cancels, too
 * @param run runs the command in the process that it is given
 */
export async function withCommandProgress<R>(
  { context }: Services,
  title: string,
  token: CancellationToken | undefined,
  run: (process: ReportingProcess) => Promise<R>,
): Promise<R> {
  const place = { location: ProgressLocation.Notification, cancellable: true };
  return window.withProgress({ ...place, title: withoutLinks(title) }, async (progress, cancelled) => {
    const cancel = new AbortController();
    const tokens = [cancelled, ...(token ? [token] : [])];
    const cancellations = tokens.map((given) => given.onCancellationRequested(() => cancel.abort()));
    if (tokens.some((given) => given.isCancellationRequested)) cancel.abort();
    let percent = 0;
    try {
      return await run({
        node: nodePath(),
        command: Uri.joinPath(context.extensionUri, 'bin', 'deeptwist.js').fsPath,
        signal: cancel.signal,
        onProgress: (state) => {
          const now = progressPercent(state) ?? percent;
          progress.report({ message: progressText(l10n, state), increment: now - percent });
          percent = now;
        },
      });
    } finally {
      for (const cancellation of cancellations) cancellation.dispose();
    }
  });
}

/**
 * Says why nothing was measured.
 * @returns the option of the command line with which the user wants it all the same; undefined where there is none, or it is not wanted
 */
export async function askToMeasureAgain({ log }: Services, error: unknown): Promise<string | undefined> {
  log.error(stackOf(error));
  const option = error instanceof UserError ? error.option : undefined;
  const allTheSame = l10n.t('Measure With Changed Files');
  const showLog = l10n.t('Show Log');
  const answers = option === undefined ? [showLog] : [allTheSame, showLog];
  const answer = await showError(error instanceof UserError ? inOneLine(error) : String(error), ...answers);
  if (answer === showLog) log.show();
  return answer === allTheSame ? option : undefined;
}
