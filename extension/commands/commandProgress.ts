/** @file A command of `deeptwist` while it runs: a notification with its progress, and a button that cancels. */
import { ProgressLocation, Uri, l10n, window, type CancellationToken } from 'vscode';
import { withoutLinks } from '../../server/protocol/markdown.ts';
import { nodePath } from '../cli/nodePath.ts';
import type { ReportingProcess } from '../../server/commandClient/runReporting.ts';
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
