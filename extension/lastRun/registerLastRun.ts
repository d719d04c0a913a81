/** @file What the last run of an open experiment file adds to the editor; loaded when the first is seen. */
import { window, type Disposable, type TextEditor } from 'vscode';
import { isOpenExperiment } from '../runs/experimentFiles.ts';
import type { Services } from '../services.ts';
import type { LastRunValues } from './lastRunValues.ts';

export interface LastRun extends Disposable {
  /** Resolves when an experiment file has been seen. */
  readonly values: Promise<LastRunValues>;
}

export function registerLastRun({ store, log }: Services): LastRun {
  const disposables: Disposable[] = [];
  let loaded: (values: LastRunValues) => void;
  const values = new Promise<LastRunValues>((resolve) => (loaded = resolve));
  let loading = false;
  let disposed = false;

  const load = async () => {
    const [{ LastRunValues }, { ApplyActions }] = await Promise.all([
      import('./lastRunValues.ts'),
      import('./applyActions.ts'),
    ]);
    if (disposed) return;
    const created = new LastRunValues(store);
    disposables.push(created, new ApplyActions(created));
    loaded(created);
  };
  const look = (editors: readonly TextEditor[]) => {
    if (loading || !editors.some(({ document }) => isOpenExperiment(document.uri))) return;
    loading = true;
    load().catch((error: unknown) => log.error(String(error)));
  };
  disposables.push(window.onDidChangeVisibleTextEditors(look));
  look(window.visibleTextEditors);
  return {
    values,
    dispose() {
      disposed = true;
      for (const disposable of disposables) disposable.dispose();
    },
  };
}
