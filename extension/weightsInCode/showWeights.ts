/**
 * @file Weights next to the code of models, by the settings `deeptwist.editor.*`. Until an editor shows a file that makes
 * layers, this costs a look at the texts of the editors that become visible.
 */
import { window, workspace, type Disposable } from 'vscode';
import type { Services } from '../services.ts';
import { mayMakeLayers } from './modelDocuments.ts';
import type { WeightParts } from './weightParts.ts';
import { stackOf } from '../../server/protocol/thrown.ts';

export function showWeights(services: Services): Disposable {
  let shown: Promise<Disposable> | undefined;
  const consider = () => {
    if (shown || !window.visibleTextEditors.some(({ document }) => mayMakeLayers(document))) return;
    const parts = partsOfSettings();
    if (!parts) return;
    shown = import('./modelEditors.ts').then(({ ModelEditors }) => new ModelEditors(services, parts));
    shown.catch((error: unknown) => services.log.error(stackOf(error)));
  };
  const hide = () => {
    void shown?.then((editors) => editors.dispose());
    shown = undefined;
  };
  const listeners = [
    window.onDidChangeVisibleTextEditors(consider),
    workspace.onDidSaveTextDocument(consider),
    workspace.onDidChangeConfiguration((event) => {
      if (!event.affectsConfiguration('deeptwist.editor')) return;
      hide();
      consider();
    }),
  ];
  consider();
  return {
    dispose() {
      for (const listener of listeners) listener.dispose();
      hide();
    },
  };
}

/** Undefined where they say that nothing is shown. */
function partsOfSettings(): WeightParts | undefined {
  const settings = workspace.getConfiguration('deeptwist.editor');
  if (!settings.get<boolean>('showWeights', true)) return undefined;
  const parts = { lens: true, hover: true, gutter: true };
  return { ...parts, ...settings.get<Partial<WeightParts>>('weightMarks') };
}
