/** @file Times that can be run and are doubtful: too few distortions, or no step to recover from them. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { firstDistortEvery, isMethod } from '../../protocol/experiment/methods/index.ts';
import { isPolicy, policyFacts } from '../../protocol/experiment/methods/policies.ts';
import { DEFAULT_POLICY } from '../../protocol/experiment/schema/compression.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { finding, type Finding } from './finding.ts';
import { setTo } from './fixes.ts';
import { trainingTimes } from '../trainingTimes.ts';
import { countAt, numberAt, textAt, valueAt } from '../writtenSettings.ts';

/** Gradual pruning in fewer steps is coarse: the paper says so of a large S_D. Ten is our choice; its own schedules have some 40 and more. */
const FEWEST_DISTORTIONS = 10;

const STEPS = ['training', 'steps'];
const DISTORT_EVERY = ['compression', 'distortEvery'];
const SCHEDULE = ['compression', 'schedule'];

/** In training steps; undefined where the file does not tell, or not yet. */
interface Times {
  readonly distortEvery: number;
  readonly steps: number | undefined;
  readonly from: number;
  readonly to: number | undefined;
}

/** Only of policies that distort while they train. */
export function scheduleFindings(document: ExperimentDocument, surroundings: Surroundings): Finding[] {
  const policy = textAt(document, ['compression', 'policy']) ?? DEFAULT_POLICY;
  const times = timesOf(document, surroundings);
  if (!times || !isPolicy(policy) || policyFacts[policy].distorts !== 'every-so-often') return [];
  return [
    ...distortionsInSchedule(document, times),
    ...stepsToRecover(document, times),
    ...lastDistortion(document, times),
  ];
}

function timesOf(document: ExperimentDocument, { model }: Surroundings): Times | undefined {
  const distortEvery = countAt(document, DISTORT_EVERY);
  if (distortEvery === undefined) return undefined;
  const { stepsPerEpoch, steps } = trainingTimes(document, model);
  const length = textAt(document, [...SCHEDULE, 'unit']) === 'epochs' ? stepsPerEpoch : 1;
  const inSteps = (time: number | undefined) =>
    time === undefined || length === undefined ? undefined : time * length;
  const start = numberAt(document, [...SCHEDULE, 'from']) ?? 0;
  const from = start === 0 ? 0 : inSteps(start);
  if (from === undefined) return undefined;
  return { distortEvery, steps, from, to: inSteps(countAt(document, [...SCHEDULE, 'to'])) };
}

/** While the rate rises. */
function distortionsInSchedule(document: ExperimentDocument, { distortEvery, from, to }: Times): Finding[] {
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

function stepsToRecover(document: ExperimentDocument, { distortEvery, steps, from, to }: Times): Finding[] {
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

/** A run always ends with a distortion; here it comes early. */
function lastDistortion(document: ExperimentDocument, { distortEvery, steps }: Times): Finding[] {
  const written = countAt(document, STEPS);
  if (written === undefined || written !== steps || steps < distortEvery || steps % distortEvery === 0) return [];
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
