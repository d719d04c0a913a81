/** @file What a user is told without asking: that a run has ended, and what can be done then. */
import { commands, l10n, workspace, type Disposable } from 'vscode';
import { codePlaceIn, withoutCodePlace } from '../server/protocol/codePlace.ts';
import { fileName } from '../server/protocol/fileName.ts';
import { formatNumber } from '../server/protocol/formatQuantity.ts';
import { readLogTail } from '../server/sidecarClient/startSidecar.ts';
import { openPlace } from './runs/openPlace.ts';
import { runResultText } from './runs/runResultText.ts';
import { showError, showInformation, showWarning, withRemedy } from './messages.ts';
import type { RunEnd, RunStore } from './runs/runStore.ts';
import type { StoredRun } from './runs/storedRun.ts';
import { lastWords } from './sidecar/lastWords.ts';
import type { Launcher } from './runs/launcher.ts';

/** Says nothing of a run that was stopped: the user who stopped it knows. Of the runs of a sweep, its terminal and the tree tell. */
export function notifyOfEnds(store: RunStore, launcher: Launcher): Disposable {
  return store.onDidEnd((end) => void notify(end, launcher));
}

async function notify({ run, state }: RunEnd, launcher: Launcher): Promise<void> {
  const wanted = workspace.getConfiguration('deeptwist').get<'all' | 'problems' | 'none'>('notifications', 'all');
  if (wanted === 'none' || state === 'stopped' || run.run.record.sweep !== undefined) return;
  const open = { title: l10n.t('Open Dashboard'), command: 'deeptwist.openDashboard' };
  const exportModel = { title: l10n.t('Export Model…'), command: 'deeptwist.exportModel' };
  const openExperiment = { title: l10n.t('Open Experiment File'), command: 'deeptwist.openExperiment' };
  const resume = { title: l10n.t('Resume'), command: 'deeptwist.resume' };
  const log = { title: l10n.t('Show Log'), command: 'deeptwist.showLog' };
  const runFile = { title: l10n.t('Run File As It Is Now'), command: 'deeptwist.runExperiment' };
  const { name, failure, result } = run.summary;
  let answer: typeof open | undefined;
  if (state === 'finished') {
    const text = runResultText(run.summary) ?? '';
    const rise = result?.lossRise;
    if (rise)
      answer = await showWarning(
        l10n.t(
          '{0} finished: {1}. Its loss rose from {2} to {3}: the training may have diverged. Try a smaller learning rate.',
          name,
          text,
          formatNumber(rise.first),
          formatNumber(rise.last),
        ),
        open,
        openExperiment,
      );
    else if (wanted !== 'problems')
      answer = await showInformation(l10n.t('{0} finished: {1}', name, text), open, exportModel);
  } else if (state === 'failed') {
    const place = failure && codePlaceIn(failure.message);
    const text = withRemedy(place ? { ...failure, message: withoutCodePlace(failure.message, place) } : failure);
    const code = place && { title: l10n.t('Open {0}, Line {1}', fileName(place.file), place.line), command: '' };
    answer = await showError(
      l10n.t('{0} failed: {1}', name, text),
      ...(code ? [code] : []),
      runFile,
      open,
      ...(code ? [] : [run.canResume ? resume : log]),
    );
    if (place && answer === code) return openPlace(place);
  } else {
    answer = await showError(await interruption(run, launcher), resume, log);
  }
  if (answer) await commands.executeCommand(answer.command, run.key);
}

async function interruption({ key, run }: StoredRun, launcher: Launcher): Promise<string> {
  const words = lastWords(await readLogTail(run));
  if (words !== undefined) return l10n.t('The process of {0} ended before its run did: {1}', run.id, words);
  const signal = launcher.exitOf(key)?.signal;
  return signal
    ? l10n.t('The process of {0} ended before its run did: it was killed by {1}.', run.id, signal)
    : l10n.t('The process of {0} ended before its run did: killed, or out of memory.', run.id);
}
