/** @file How runs and their states are put into words. */
import type { DashboardCommand, RunSummary } from '../../server/protocol/dashboard.ts';
import { formatNumber, formatPercent, formatSeconds } from '../charts/model/format.ts';
import type { IconName } from '../controls/icons.ts';
import type { ShownRun } from '../state.ts';

export const stateWords: Readonly<Record<RunSummary['state'], string>> = {
  queued: 'Queued',
  running: 'Running',
  finished: 'Finished',
  failed: 'Failed',
  stopped: 'Stopped',
  interrupted: 'Interrupted',
};

export const commandWords: Readonly<Record<DashboardCommand, { label: string; icon?: IconName; title?: string }>> = {
  pause: { label: 'Pause', icon: 'pause', title: 'Pause after the current step' },
  continue: { label: 'Continue', icon: 'continue', title: 'Continue training' },
  stop: { label: 'Stop', icon: 'stop', title: 'Stop after the current step, with a checkpoint' },
  resume: { label: 'Resume', icon: 'resume', title: 'Go on from the last checkpoint' },
  rerun: { label: 'Rerun', icon: 'rerun', title: 'Run the experiment again' },
  observeNow: { label: 'Observe now', icon: 'observe', title: 'Record histograms and spectra at this step' },
  checkpointNow: { label: 'Checkpoint now' },
  openExperiment: { label: 'Open experiment', icon: 'file', title: 'Open the experiment file' },
  showLog: { label: 'Show log', icon: 'log', title: "Show the run's log" },
  newExperiment: { label: 'New experiment…' },
  runExperiment: { label: 'Run experiment…' },
};

function metricText(metric: string, value: number): string {
  return `${metric} ${metric === 'accuracy' ? formatPercent(value) : formatNumber(value)}`;
}

/** What a run came to, such as `accuracy 97.37%` and `46.1× smaller`; empty where there is no result. */
export function resultFacts({ result }: RunSummary): string[] {
  if (!result) return [];
  const facts = [metricText(result.metric, result.test)];
  if (result.byteRatio > 1.05) facts.push(`${formatNumber(Number(result.byteRatio.toFixed(1)))}× smaller`);
  return facts;
}

/** `just now`, `5 min ago`, `3 h ago`, `12 days ago`. */
export function ageText(created: number, now: number): string {
  const minutes = Math.floor((now - created) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return `${Math.floor(minutes / (24 * 60))} days ago`;
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
  if (live && live.phase !== 'ended' && (state === 'running' || state === 'queued')) return liveLine(live);
  const { snapshot } = run;
  const last = snapshot?.metrics.columns.step[snapshot.metrics.length - 1];
  const steps = snapshot?.started?.config.training.steps;
  const at = last === undefined ? undefined : `step ${formatNumber(last)}${steps ? ` of ${formatNumber(steps)}` : ''}`;
  return {
    icon: state,
    phase: stateWords[state],
    facts: [...(summary ? resultFacts(summary) : []), ...(at === undefined ? [] : [at])],
    ...(last !== undefined && steps && state !== 'finished' && { progress: last / steps }),
  };
}

function liveLine(live: NonNullable<ShownRun['live']>): StateLine {
  const { phase, step, steps, stepsPerSecond, evaluation, loss, runsAhead } = live;
  if (phase === 'queued') {
    const ahead =
      runsAhead === undefined ? 'waits for its turn' : `${runsAhead} ${runsAhead === 1 ? 'run' : 'runs'} ahead`;
    return { icon: 'queued', phase: 'Queued', facts: [ahead] };
  }
  if (phase === 'preparing') return { icon: 'running', phase: 'Preparing', facts: ['loads data, compiles the model'] };
  const facts = [`${formatNumber(step)} of ${formatNumber(steps)}`];
  if (phase === 'training' && stepsPerSecond !== undefined && stepsPerSecond > 0)
    facts.push(`${formatSeconds(Math.ceil((steps - step) / stepsPerSecond))} left`, `${speed(stepsPerSecond)} steps/s`);
  if (evaluation) facts.push(metricText(evaluation.metric, evaluation.value));
  else if (loss !== undefined) facts.push(metricText('loss', loss));
  const words = { training: 'Training', paused: 'Paused', stopping: 'Stopping', ended: 'Ended' };
  return {
    icon: phase === 'paused' ? 'pause' : 'running',
    phase: words[phase],
    facts,
    ...(steps > 0 && { progress: step / steps }),
  };
}

function speed(stepsPerSecond: number): string {
  return formatNumber(stepsPerSecond >= 10 ? Math.round(stepsPerSecond) : Number(stepsPerSecond.toPrecision(2)));
}
