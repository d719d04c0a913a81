/** @file Times that can be trained with and are doubtful: too few distortions, or no step to recover from them. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { firstDistortEvery, isMethod } from '../../protocol/experiment/methods/index.ts';
import { timesIn } from '../../protocol/experiment/times.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { finding, type Finding } from './finding.ts';
import { setTo } from './fixes.ts';
import { distortsRegularly, readCompression } from '../readCompression.ts';
import { knownTimes } from '../trainingTimes.ts';
import { textAt, valueAt } from '../writtenSettings.ts';

/** Gradual pruning in fewer steps is coarse: the paper says so of a large S_D. Ten is our choice; its own schedules have some 40 and more. */
const FEWEST_DISTORTIONS = 10;

const STEPS = ['training', 'steps'];
const DISTORT_EVERY = ['compression', 'distortEvery'];
const SCHEDULE = ['compression', 'schedule'];

/** Times in training steps; undefined where the file does not tell, or not yet. */
interface KnownSteps {
  readonly distortEvery: number;
  readonly steps: number | undefined;
  readonly from: number;
  readonly to: number | undefined;
}

/** Findings for policies that distort while they train. */
export function scheduleFindings(document: ExperimentDocument, { model }: Surroundings): Finding[] {
  const compression = readCompression(document);
  const { times, stepsPerEpoch } = knownTimes(document, model);
  const { distortEvery, from, to, end } = timesIn('steps', times, stepsPerEpoch);
  if (!compression || !distortsRegularly(compression) || distortEvery === undefined || from === undefined) return [];
  const known = { distortEvery, steps: end, from, to };
  return [
    ...distortionsInSchedule(document, known),
    ...stepsToRecover(document, known),
    ...lastDistortion(document, known, times.steps?.count),
  ];
}

/** Too few distortions while the rate rises. */
function distortionsInSchedule(document: ExperimentDocument, { distortEvery, from, to }: KnownSteps): Finding[] {
  if (to === undefined || to <= from) return [];
  const distortions = Math.floor(to / distortEvery) - Math.ceil(from / distortEvery);
  if (distortions >= FEWEST_DISTORTIONS) return [];
  const enough = Math.floor((to - from) / FEWEST_DISTORTIONS);
  const fixes = enough > 0 ? [setTo(document, DISTORT_EVERY, niceBelow(enough))] : [];
  const [code, message] =
    distortEvery > to - from
      ? [
          'schedule-too-short',
          `is larger than the schedule of ${to - from} steps: the rate jumps to its target at once`,
        ]
      : [
          'few-distortions',
          `leaves ${distortions} distortions while the rate rises (steps ${from} to ${to}): gradual pruning takes at least ` +
            `${FEWEST_DISTORTIONS}`,
        ];
  return [finding(document, { path: DISTORT_EVERY }, { severity: DiagnosticSeverity.Warning, code, message, fixes })];
}

function stepsToRecover(document: ExperimentDocument, { distortEvery, steps, from, to }: KnownSteps): Finding[] {
  const severity = DiagnosticSeverity.Warning;
  const code = 'no-step-to-recover';
  if (distortEvery === 1) {
    const method = valueAt(document, ['compression', 'method']);
    return [
      finding(
        document,
        { path: DISTORT_EVERY },
        {
          severity,
          code,
          message: 'distorts after every step: weights have no step to recover in between (the paper: 5 to 2000)',
          fixes: isMethod(method)
            ? [setTo(document, DISTORT_EVERY, firstDistortEvery(method, textAt(document, ['data', 'type'])))]
            : [],
        },
      ),
    ];
  }
  if (steps === undefined || distortEvery > steps) return [];
  const last = to ?? from;
  if (last > steps || steps - last >= distortEvery || last === 0) return [];
  const message =
    to === undefined
      ? `leaves one distortion, at the end of training (step ${steps}): nothing is left to recover from it`
      : `comes ${steps === to ? 'with' : 'right before'} the end of training (step ${steps}): the target rate is reached with no ` +
        'step left to recover from it';
  const path = [...SCHEDULE, to === undefined ? 'from' : 'to'];
  return [finding(document, { path }, { severity, code, message })];
}

/**
 * A run always ends with a distortion; here it comes early.
 * @param steps of the file; undefined where it gives epochs
 */
function lastDistortion(
  document: ExperimentDocument,
  { distortEvery }: KnownSteps,
  steps: number | undefined,
): Finding[] {
  if (steps === undefined || steps < distortEvery || steps % distortEvery === 0) return [];
  const rest = steps % distortEvery;
  return [
    finding(
      document,
      { path: STEPS },
      {
        severity: DiagnosticSeverity.Information,
        code: 'ends-between-distortions',
        message:
          `is no multiple of distortEvery (${distortEvery}): the run ends with a distortion only ` +
          `${rest === 1 ? '1 step' : `${rest} steps`} after the one before it`,
        fixes: [setTo(document, STEPS, steps - rest + distortEvery), setTo(document, STEPS, steps - rest)],
      },
    ),
  ];
}

/** The largest of 1, 2, 5, 10, 20, 50, … that is not above a number. */
function niceBelow(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  return power * (most >= 5 * power ? 5 : most >= 2 * power ? 2 : 1);
}
