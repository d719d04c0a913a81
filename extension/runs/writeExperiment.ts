/** @file Writes settings into an experiment file in its editor, where they are selected, can be undone, and are saved by the user. */
import { Range, Selection, TextEditorRevealType, Uri, WorkspaceEdit, l10n, window, workspace } from 'vscode';
import type { Override } from '../../server/protocol/experiment/overrides.ts';
import { writeSettings } from '../../server/protocol/experiment/writeSettings.ts';
import { UserError } from '../../server/protocol/userError.ts';

/**
 * @param file path of the experiment file
 * @returns false where it has these settings already
 * @throws UserError where the file has gone, or they have no place in it
 */
export async function writeExperiment(
  file: string,
  overrides: readonly Pick<Override, 'path' | 'value'>[],
): Promise<boolean> {
  const document = await workspace.openTextDocument(Uri.file(file)).then(undefined, () => {
    throw new UserError(l10n.t('The experiment file {0} has gone.', file), {
      remedy: l10n.t('Its runs have a copy: Open Experiment File.'),
    });
  });
  const before = document.getText();
  const after = writeSettings(before, overrides);
  const editor = await window.showTextDocument(document, { preview: false });
  if (after === before) return false;
  const { start, end, text } = changedPart(before, after);
  const edit = new WorkspaceEdit();
  edit.replace(document.uri, new Range(document.positionAt(start), document.positionAt(end)), text);
  await workspace.applyEdit(edit);
  const written = new Range(document.positionAt(start), document.positionAt(start + text.length));
  editor.selection = new Selection(written.start, written.end);
  editor.revealRange(written, TextEditorRevealType.InCenterIfOutsideViewport);
  return true;
}

/** The part of a text that is another in a second one: cursors and folds elsewhere stay. */
function changedPart(before: string, after: string): { start: number; end: number; text: string } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let tail = 0;
  while (tail < shorter - start && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  return { start, end: before.length - tail, text: after.slice(start, after.length - tail) };
}
