/** @file Selecting a run in the tree when it starts. */
import type { LogOutputChannel, TreeView } from 'vscode';
import { messageOf } from '../../server/protocol/thrown.ts';
import { Disposable } from '../dispose.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import type { ExperimentsTree, TreeNode } from './experimentsTree.ts';

interface Shown {
  readonly tree: Pick<ExperimentsTree, 'nodeOf'>;
  readonly view: Pick<TreeView<TreeNode>, 'visible' | 'reveal' | 'onDidChangeVisibility'>;
}

export class RunRevealer extends Disposable {
  readonly #shown: Shown;
  readonly #log: Pick<LogOutputChannel, 'warn'>;
  /** The last run that started while the tree could not be seen. */
  #unseen: StoredRun | undefined;

  constructor(shown: Shown, log: Pick<LogOutputChannel, 'warn'>) {
    super();
    this.#shown = shown;
    this.#log = log;
    this.register(
      shown.view.onDidChangeVisibility(({ visible }) => {
        if (visible && this.#unseen) void this.reveal(this.#unseen);
      }),
    );
  }

  /** At once, or when the tree is seen next: the view is not opened for it. */
  async reveal(stored: StoredRun): Promise<void> {
    const { tree, view } = this.#shown;
    this.#unseen = view.visible ? undefined : stored;
    const node = view.visible ? await tree.nodeOf(stored) : undefined;
    if (!node) return;
    // While the tree is drawn anew, VS Code finds no row and refuses; the run trains all the same.
    await view.reveal(node, { select: true, focus: false }).then(undefined, (error: unknown) => {
      this.#log.warn(`${stored.key} is not shown in the tree: ${messageOf(error)}`);
    });
  }
}
