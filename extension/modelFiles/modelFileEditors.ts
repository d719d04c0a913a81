/** @file The editors of model files: registered here, loaded when the first is opened. */
import { window, type CustomDocument, type CustomReadonlyEditorProvider, type Uri, type WebviewPanel } from 'vscode';
import { Disposable } from '../dispose.ts';
import type { Services } from '../services.ts';
import type { ModelFileSession } from './modelFileSession.ts';

const VIEW = 'deeptwist.modelFile';

/** Shows the tensors of model files. Nothing of a file is executed, so that it works in Restricted Mode, too. */
export class ModelFileEditors extends Disposable implements CustomReadonlyEditorProvider {
  readonly #services: Services;
  readonly #sessions = new Set<ModelFileSession>();

  constructor(services: Services) {
    super();
    this.#services = services;
    this.register(window.registerCustomEditorProvider(VIEW, this, { supportsMultipleEditorsPerDocument: true }));
    this.register({
      dispose: () => {
        for (const session of this.#sessions) session.dispose();
      },
    });
  }

  /** The editors that are open. */
  get sessions(): ReadonlySet<ModelFileSession> {
    return this.#sessions;
  }

  openCustomDocument(uri: Uri): CustomDocument {
    return { uri, dispose: () => undefined };
  }

  async resolveCustomEditor({ uri }: CustomDocument, panel: WebviewPanel): Promise<void> {
    let isClosed = false;
    panel.onDidDispose(() => (isClosed = true));
    const { ModelFileSession } = await import('./modelFileSession.ts');
    if (isClosed) return;
    const session = new ModelFileSession(uri, panel, this.#services);
    this.#sessions.add(session);
    panel.onDidDispose(() => {
      this.#sessions.delete(session);
      session.dispose();
    });
  }
}
