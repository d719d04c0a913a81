/** @file What a dashboard's page asks of the editor: commands, places in files, saving charts. */
import { commands, l10n, Selection, TextEditorRevealType, Uri, window, workspace } from 'vscode';
import type { Memento } from 'vscode';
import { codePlaceIn } from '../../server/protocol/codePlace.ts';
import { readExportedFiles } from '../../server/runs/exportedFiles.ts';
import { openRun } from '../../server/runs/run.ts';
import { MANAGE_TRUST, showInformation } from '../messages.ts';
import { columnFor, openPlace } from '../runs/openPlace.ts';
import { saveChart } from '../page/saveChart.ts';
import { revealPath } from '../runs/revealPath.ts';
import { layerPlace } from './layerPlace.ts';
import type { DashboardRequest } from './session.ts';

export async function perform(request: DashboardRequest, state: Memento): Promise<void> {
  switch (request.type) {
    case 'command':
      if (request.command === 'manageTrust') await commands.executeCommand(MANAGE_TRUST);
      else if (request.command === 'openFailure') await openFailure(request.run);
      else await commands.executeCommand(`deeptwist.${request.command}`, request.run);
      return;
    case 'revealLayer':
      await revealLayer(request);
      return;
    case 'revealExport':
      await revealRecorded(request);
      return;
    case 'save':
      await saveChart(request, state);
      return;
    case 'error':
      throw new Error(request.message);
  }
}

/** Shows the place in the user's code that the failure of a run names. */
async function openFailure(path: string | undefined): Promise<void> {
  const failure = path === undefined ? undefined : (await openRun(path)).record.failure;
  const place = failure && codePlaceIn(failure.message);
  if (place) await openPlace(place);
}

/** Opens the experiment file, or the run's copy of it where that is gone, and selects the key that chose the weight. */
async function revealLayer({
  run: path,
  weight,
  compressed,
  key,
}: Extract<DashboardRequest, { type: 'revealLayer' }>): Promise<void> {
  const run = await openRun(path);
  const document = await workspace
    .openTextDocument(Uri.file(run.record.experiment))
    .then(undefined, () => workspace.openTextDocument(Uri.file(run.experimentFile)));
  const editor = await window.showTextDocument(document, { viewColumn: columnFor(document.uri), preview: true });
  if (!compressed) {
    void showInformation(
      l10n.t('{0} is not named in "compression.layers": the experiment does not compress it.', weight),
    );
    return;
  }
  const place = layerPlace(document.getText(), key);
  if (!place) return;
  const { line, column } = place;
  const name = JSON.stringify(place.key);
  const selection = new Selection(line - 1, column - 1, line - 1, column - 1 + name.length);
  editor.selection = selection;
  editor.revealRange(selection, TextEditorRevealType.InCenterIfOutsideViewport);
}

/** A page names no file of its own: only those that the run's folder tells of are shown. */
async function revealRecorded({ run, path }: Extract<DashboardRequest, { type: 'revealExport' }>): Promise<void> {
  const files = await readExportedFiles(await openRun(run));
  if (files.some((file) => file.path === path && file.isThere)) return revealPath(path);
  void showInformation(l10n.t('{0} is no longer there: it was deleted or moved.', path));
}
