/** @file What a model consists of, by `deeptwist describe` in a process of its own. */
import { basename, dirname } from 'node:path';
import { l10n, ProgressLocation, Uri, window, type ExtensionContext } from 'vscode';
import { withoutLinks } from '../../server/protocol/markdown.ts';
import type { ModelDescription } from '../../server/protocol/model/modelDescription.ts';
import { nodePath } from '../cli/nodePath.ts';
import { runReporting } from '../../server/commandClient/runReporting.ts';

/**
 * Loads a model and describes it, with a notification that can be cancelled. A module's code is executed.
 * @param path absolute
 * @returns undefined where the user cancelled
 * @throws UserError for what is no model, and for operators and layers that are missing, all of them
 */
export async function describeModel(
  { extensionUri }: Pick<ExtensionContext, 'extensionUri'>,
  path: string,
): Promise<ModelDescription | undefined> {
  const title = withoutLinks(l10n.t('Looking into {0}…', basename(path)));
  const place = { location: ProgressLocation.Notification, cancellable: true, title };
  return window.withProgress(place, async (_, token) => {
    const cancel = new AbortController();
    const cancellation = token.onCancellationRequested(() => cancel.abort());
    try {
      const report = await runReporting(['describe', path], dirname(path), {
        node: nodePath(),
        command: Uri.joinPath(extensionUri, 'bin', 'deeptwist.js').fsPath,
        signal: cancel.signal,
        onProgress: () => undefined,
      });
      // The command is this extension's own: a schema, which would be loaded for this alone, would check what it has made by one.
      return report as ModelDescription | undefined;
    } finally {
      cancellation.dispose();
    }
  });
}

/** `3, 224, 224`, `any, 16` */
export function sizesText(sizes: readonly (number | null)[]): string {
  return sizes.map((size) => size ?? l10n.t('any')).join(', ');
}
