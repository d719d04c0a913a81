/** @file How runs and their states are put into words. */
import * as l10n from '@vscode/l10n';
import type { DashboardCommand, RunSummary } from '../../server/protocol/wire/dashboard.ts';
import { formatCount, formatNumber, formatPercent } from '../../server/protocol/formatQuantity.ts';
import { formatMetric, resultFacts } from '../../server/protocol/run/resultText.ts';
import { formatSeconds } from '../charts/model/format.ts';
import type { IconName } from '../controls/icons.ts';
import type { RunSnapshot } from '../../server/protocol/run/runHistory.ts';
import type { ShownRun } from '../state.ts';

export const stateWords: Readonly<Record<RunSummary['state'], string>> = {
  queued: l10n.t('Queued'),
  running: l10n.t('Running'),
  finished: l10n.t('Finished'),
  failed: l10n.t('Failed'),
  stopped: l10n.t('Stopped'),
  interrupted: l10n.t('Interrupted'),
};

export const commandWords: Readonly<Record<DashboardCommand, { label: string; icon?: IconName; title?: string }>> = {
  pause: { label: l10n.t('Pause'), icon: 'pause', title: l10n.t('Pause after the current step') },
  continue: { label: l10n.t('Continue'), icon: 'continue', title: l10n.t('Continue training') },
  stop: { label: l10n.t('Stop'), icon: 'stop', title: l10n.t('Stop after the current step, with a checkpoint') },
  resume: { label: l10n.t('Resume'), icon: 'resume', title: l10n.t('Continue from the last checkpoint') },
  rerun: { label: l10n.t('Rerun'), icon: 'rerun', title: l10n.t('Run again with the settings of this run') },
  exportModel: {
    label: l10n.t('Export model…'),
    icon: 'export',
    title: l10n.t('Export the model as a file that other programs open'),
  },
  measureLatency: {
    label: l10n.t('Measure latency'),
    icon: 'latency',
    title: l10n.t('Measure how fast the dense model, the exported ONNX and the packed file are on this machine'),
  },
  observeNow: {
    label: l10n.t('Record weights now'),
    icon: 'observe',
    title: l10n.t('Record histograms and spectra at this step'),
  },
  checkpointNow: { label: l10n.t('Checkpoint now') },
  openDashboard: { label: l10n.t('Show dashboard') },
  openExperiment: { label: l10n.t('Open experiment'), icon: 'file', title: l10n.t('Open the experiment file') },
  openFailure: { label: l10n.t('Open the code') },
  showLog: { label: l10n.t('Show log'), icon: 'log', title: l10n.t("Show the run's log") },
  newExperiment: { label: l10n.t('New experiment…') },
  runExperiment: { label: l10n.t('Run experiment…') },
  manageTrust: { label: l10n.t('Manage trust') },
};

/** Words of the command `runExperiment` for the experiment of a run. */
export const runFileWords = {
  label: l10n.t('Run the file as it is now'),
  title: l10n.t('Start a new run with what the experiment file says now'),
};

function metricText(metric: string, value: number): string {
  return `${metric} ${formatMetric(metric, value)}`;
}

/** What a run came to, such as `accuracy 97.37%` and `46.1x smaller`; empty where there is no result. */
export function resultWords(run: RunSummary): string[] {
  return resultFacts(run, {
    smaller: (ratio) => l10n.t('{0} smaller', ratio),
    wouldBeSmaller: (ratio) => l10n.t('would be {0} smaller', ratio),
  });
}

/** `just now`, `5 min ago`, `3 h ago`, `12 days ago`. */
export function ageText(created: number, now: number): string {
  const minutes = Math.floor((now - created) / 60_000);
  if (minutes < 1) return l10n.t('just now');
  if (minutes < 60) return l10n.t('{0} min ago', minutes);
  if (minutes < 48 * 60) return l10n.t('{0} h ago', Math.floor(minutes / 60));
  return l10n.t('{0} days ago', Math.floor(minutes / (24 * 60)));
}

export interface StateLine {
  readonly icon: IconName;
  readonly phase: string;
  /** Facts, the most important first. */
  readonly facts: readonly string[];
  /** 0 to 1; undefined: how far it is cannot be said. */
  readonly progress?: number;
}

/** How a run stands. */
export function stateLine(run: ShownRun): StateLine {
  const { live, summary } = run;
  const state = summary?.state ?? 'queued';
  const { snapshot } = run;
  if (live && live.phase !== 'ended' && (state === 'running' || state === 'queued')) {
    const line = liveLine(live);
    return { ...line, facts: [...line.facts, ...deviceFacts(snapshot)] };
  }
  const evaluation = summary?.result ? undefined : snapshot?.evaluations.at(-1);
  const last = snapshot?.metrics.columns.step[snapshot.metrics.length - 1];
  const steps = snapshot?.started?.config.training.steps;
  return {
    icon: state,
    phase: stateWords[state],
    facts: [
      ...(summary ? resultWords(summary) : []),
      ...(evaluation ? [metricText(evaluation.metric, evaluation.value)] : []),
      ...(last === undefined ? [] : [placeFact(last, steps)]),
      ...deviceFacts(snapshot),
    ],
    ...(last !== undefined && steps && state !== 'finished' && { progress: last / steps }),
  };
}

/** The device that computes the steps, if that is not the processor. */
function deviceFacts(snapshot: RunSnapshot | undefined): string[] {
  return snapshot?.started?.computedOn === 'webgpu' ? [l10n.t('on the graphics processor')] : [];
}

function placeFact(step: number, steps: number | undefined): string {
  return steps
    ? l10n.t('step {0} of {1}', formatCount(step), formatCount(steps))
    : l10n.t('step {0}', formatCount(step));
}

function preparation({ what, done, total }: NonNullable<NonNullable<ShownRun['live']>['decoded']>): string {
  switch (what) {
    case 'images':
      return l10n.t('decodes images, {0} of {1}', formatCount(done), formatCount(total));
    case 'text':
      return l10n.t('tokenizes the text, {0}', formatPercent(done / total));
    case 'labels':
      return l10n.t('counts the samples of each class, {0}', formatPercent(done / total));
  }
}

function liveLine(live: NonNullable<ShownRun['live']>): StateLine {
  const { phase, step, steps, stepsPerSecond, evaluation, loss, runsAhead, decoded } = live;
  if (phase === 'queued') return { icon: 'queued', phase: stateWords.queued, facts: [queueFact(runsAhead)] };
  if (phase === 'preparing' && decoded)
    return {
      icon: 'running',
      phase: l10n.t('Preparing'),
      facts: [preparation(decoded)],
      progress: decoded.done / decoded.total,
    };
  if (phase === 'preparing')
    return { icon: 'running', phase: l10n.t('Preparing'), facts: [l10n.t('loads data, compiles the model')] };
  const facts = [l10n.t('step {0} of {1}', formatCount(step), formatCount(steps))];
  if (phase === 'training' && stepsPerSecond !== undefined && stepsPerSecond > 0)
    facts.push(
      l10n.t('{0} left', formatSeconds(Math.ceil((steps - step) / stepsPerSecond))),
      l10n.t('{0} steps/s', speed(stepsPerSecond)),
    );
  if (evaluation) facts.push(metricText(evaluation.metric, evaluation.value));
  else if (loss !== undefined) facts.push(l10n.t('loss {0}', formatNumber(loss)));
  const words = {
    training: l10n.t('Training'),
    paused: l10n.t('Paused'),
    stopping: l10n.t('Stopping'),
    ended: l10n.t('Ended'),
  };
  return {
    icon: phase === 'paused' ? 'pause' : 'running',
    phase: words[phase],
    facts,
    ...(steps > 0 && { progress: step / steps }),
  };
}

function queueFact(runsAhead: number | undefined): string {
  if (runsAhead === undefined) return l10n.t('waits for its turn');
  return runsAhead === 1 ? l10n.t('1 run ahead') : l10n.t('{0} runs ahead', runsAhead);
}

function speed(stepsPerSecond: number): string {
  return stepsPerSecond >= 10 ? formatCount(Math.round(stepsPerSecond)) : String(Number(stepsPerSecond.toPrecision(2)));
}
