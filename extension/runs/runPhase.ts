/** @file How a run stands, as icon and word. */
import { ThemeColor, ThemeIcon, l10n } from 'vscode';
import type { StoredRun } from './storedRun.ts';

/** The state that a user sees: that of the process where there is one. */
export function runPhase(stored: StoredRun): RunPhase {
  const { state } = stored.summary;
  const phase = stored.liveState?.phase;
  if (state !== 'running' || phase === undefined || phase === 'ended') return state;
  return phase === 'training' ? 'running' : phase;
}

const icons = {
  queued: ['clock', undefined],
  preparing: ['loading~spin', undefined],
  running: ['loading~spin', 'charts.blue'],
  paused: ['debug-pause', 'charts.yellow'],
  stopping: ['loading~spin', 'charts.yellow'],
  finished: ['pass-filled', 'testing.iconPassed'],
  failed: ['error', 'testing.iconFailed'],
  stopped: ['debug-stop', 'descriptionForeground'],
  interrupted: ['debug-disconnect', 'charts.orange'],
} as const;

export type RunPhase = keyof typeof icons;

/** The icon of a run's phase; a finished run whose loss has risen has a warning. */
export function runIcon(stored: StoredRun): ThemeIcon {
  const phase = runPhase(stored);
  const hasRisen = phase === 'finished' && stored.summary.result?.lossRise !== undefined;
  const [icon, color] = hasRisen ? (['warning', 'list.warningForeground'] as const) : icons[phase];
  return new ThemeIcon(icon, color && new ThemeColor(color));
}

export function stateName(phase: RunPhase): string {
  switch (phase) {
    case 'queued':
      return l10n.t('queued');
    case 'preparing':
      return l10n.t('preparing');
    case 'running':
      return l10n.t('running');
    case 'paused':
      return l10n.t('paused');
    case 'stopping':
      return l10n.t('stopping');
    case 'finished':
      return l10n.t('finished');
    case 'failed':
      return l10n.t('failed');
    case 'stopped':
      return l10n.t('stopped');
    case 'interrupted':
      return l10n.t('interrupted');
  }
}
