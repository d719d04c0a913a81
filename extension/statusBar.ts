/** @file The active run in the status bar. */
import { MarkdownString, StatusBarAlignment, l10n, window } from 'vscode';
import { formatDuration } from '../server/protocol/formatQuantity.ts';
import { markdownLines } from '../server/protocol/markdown.ts';
import { Disposable } from './dispose.ts';
import { progressText, secondsLeft } from './runs/runLabels.ts';
import type { RunStore } from './runs/runStore.ts';
import type { StoredRun } from './runs/storedRun.ts';

const REFRESH_MS = 500;

/** Shows one active run, or how many there are; nothing while there is none. */
export class StatusBar extends Disposable {
  readonly #item = this.register(window.createStatusBarItem('deeptwist.run', StatusBarAlignment.Left, 10));
  readonly #store: RunStore;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: RunStore) {
    super();
    this.#store = store;
    this.#item.name = l10n.t('DeepTwist Run');
    this.register(store.onDidChange(() => this.#draw()));
    this.register(store.onDidProgress(() => this.#drawSoon()));
    this.register({ dispose: () => clearTimeout(this.#timer) });
    this.#draw();
  }

  #drawSoon(): void {
    this.#timer ??= setTimeout(() => this.#draw(), REFRESH_MS);
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { active } = this.#store;
    if (active.length === 0) return this.#item.hide();
    const [first] = active;
    const { liveState } = first;
    const paused = liveState?.phase === 'paused';
    const icon = paused ? '$(debug-pause)' : liveState?.phase === 'queued' ? '$(clock)' : '$(loading~spin)';
    if (active.length > 1) this.#item.text = `${icon} ${l10n.t('{0} runs', active.length)}`;
    else this.#item.text = `${icon} ${first.summary.name} ${progressOf(first)}`.trimEnd();
    const left = liveState && secondsLeft(liveState);
    const lines = active.map((run) => `${run.summary.id} ${progressOf(run)}`.trimEnd());
    if (left !== undefined && active.length === 1) lines.push(l10n.t('{0} left', formatDuration(left)));
    this.#item.tooltip = new MarkdownString(markdownLines(lines.join('\n')));
    this.#item.command = {
      command: 'deeptwist.openDashboard',
      title: l10n.t('Open Dashboard'),
      arguments: [first.key],
    };
    this.#item.show();
  }
}

/** Nothing while a run that is not queued has told nothing of itself. */
function progressOf({ summary, liveState }: StoredRun): string {
  if (summary.state === 'queued' || liveState?.phase === 'queued')
    return liveState?.runsAhead ? l10n.t('queued, {0} ahead', liveState.runsAhead) : l10n.t('queued');
  if (liveState?.phase === 'preparing') {
    const { decoded } = liveState;
    if (!decoded) return l10n.t('preparing');
    const percent = Math.floor((100 * decoded.done) / decoded.total);
    switch (decoded.what) {
      case 'images':
        return l10n.t('preparing, {0}% of the images decoded', percent);
      case 'text':
        return l10n.t('preparing, {0}% of the text tokenized', percent);
      case 'labels':
        return l10n.t('preparing, {0}% of the labels counted', percent);
    }
  }
  return liveState ? progressText(liveState) : '';
}
