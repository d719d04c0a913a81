/** @file What the last run of an open experiment file adds to the editor; loaded when the first is seen. */
import { window, type TextEditor } from 'vscode';
import { Disposable } from '../dispose.ts';
import { isOpenExperiment } from '../runs/experimentFiles.ts';
import type { Services } from '../services.ts';
import type { LastRunValues } from './lastRunValues.ts';
import { stackOf } from '../../server/protocol/thrown.ts';

export class LastRun extends Disposable {
  readonly #services: Services;
  #loaded: (values: LastRunValues) => void = () => undefined;
  #loading = false;
  /** Resolves when an experiment file has been seen. */
  readonly values = new Promise<LastRunValues>((resolve) => (this.#loaded = resolve));

  constructor(services: Services) {
    super();
    this.#services = services;
    this.register(window.onDidChangeVisibleTextEditors((editors) => this.#consider(editors)));
    this.#consider(window.visibleTextEditors);
  }

  #consider(editors: readonly TextEditor[]): void {
    if (this.#loading || !editors.some(({ document }) => isOpenExperiment(document.uri))) return;
    this.#loading = true;
    this.#load().catch((error: unknown) => this.#services.log.error(stackOf(error)));
  }

  async #load(): Promise<void> {
    const [{ LastRunValues }, { ApplyActions }] = await Promise.all([
      import('./lastRunValues.ts'),
      import('./applyActions.ts'),
    ]);
    if (this.disposed) return;
    const values = this.register(new LastRunValues(this.#services.store));
    this.register(new ApplyActions(values));
    this.#loaded(values);
  }
}
