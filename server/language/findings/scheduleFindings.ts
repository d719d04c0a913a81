/** @file Times that can be trained with and are doubtful: too few distortions, or no step to recover from them. */
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import { firstDistortEvery, roundBelow } from '../../protocol/experiment/firstExperiment.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import { timesIn, type Duration } from '../../protocol/experiment/times.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { finding, type Finding, type Fix } from './finding.ts';
import { setTo } from './fixes.ts';
import { distortsRegularly, readCompressions, type ReadCompression } from '../readCompression.ts';
import { firstRunOf, knownTimes } from '../trainingTimes.ts';

/** With fewer distortions the rate rises in coarse steps, which the DeepTwist paper says of a large S_D. Ten is our choice; its own schedules have 40 and more. */
const FEWEST_DISTORTIONS = 10;

const STEPS = ['training', 'steps'];

/** The times of a compression in training steps; undefined where the file does not tell, or not yet. */
interface KnownSteps {
  /** The compression. */
  readonly path: SettingPath;
  readonly distortEvery: number;
  /** The fix that gives S_D this many steps; none where the file gives it in epochs. */
  readonly fixes: (steps: number) => Fix[];
  readonly steps: number | undefined;
  readonly from: number;
  readonly to: number | undefined;
}

/** Findings for policies that distort while they train. */
export function scheduleFindings(document: ExperimentDocument, { model }: Surroundings): Finding[] {
  return readCompressions(document)
    .filter(distortsRegularly)
    .flatMap((compression) => findingsOf(compression, document, model));
}

function findingsOf(
  { path, method, times: own }: ReadCompression,
  document: ExperimentDocument,
  model: Surroundings['model'],
): Finding[] {
  const { times, stepsPerEpoch } = knownTimes(document, model);
  const { distortEvery, from, to, end } = timesIn('steps', times, own, stepsPerEpoch);
  if (distortEvery === undefined || from === undefined) return [];
  const isInSteps = own.distortEvery?.unit === 'steps';
  const fixes = (steps: number) => (isInSteps ? [setTo(document, [...path, 'distortEvery'], steps)] : []);
  const known = { path, distortEvery, steps: end, from, to, fixes };
  return [
    ...distortionsInSchedule(document, known),
    ...(distortEvery === 1
      ? everyStep(document, firstDistortEvery(method, firstRunOf(document, model)), known)
      : stepsToRecover(document, known)),
    ...lastDistortion(document, known, times.steps?.count),
  ];
}

/** Too few distortions while the rate rises. */
function distortionsInSchedule(
  document: ExperimentDocument,
  { path, distortEvery, from, to, fixes }: KnownSteps,
): Finding[] {
  if (to === undefined || to <= from) return [];
  const distortions = Math.floor(to / distortEvery) - Math.ceil(from / distortEvery);
  if (distortions >= FEWEST_DISTORTIONS) return [];
  const enough = Math.floor((to - from) / FEWEST_DISTORTIONS);
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
  const problem = { severity: DiagnosticSeverity.Warning, code, message };
  const remedies = enough > 0 ? fixes(roundBelow(enough)) : [];
  return [finding(document, { path: [...path, 'distortEvery'] }, { ...problem, fixes: remedies })];
}

const NO_STEP = { severity: DiagnosticSeverity.Warning, code: 'no-step-to-recover' };

/** @param usual S_D of a first experiment like this */
function everyStep(document: ExperimentDocument, usual: Duration, { path, fixes }: KnownSteps): Finding[] {
  const message =
    'distorts after every step: weights have no step to recover in between (the DeepTwist paper: 5 to 2000)';
  const remedies = usual.unit === 'steps' && usual.count > 1 ? fixes(usual.count) : [];
  return [finding(document, { path: [...path, 'distortEvery'] }, { ...NO_STEP, message, fixes: remedies })];
}

function stepsToRecover(
  document: ExperimentDocument,
  { path: compression, distortEvery, steps, from, to }: KnownSteps,
): Finding[] {
  if (steps === undefined || distortEvery > steps) return [];
  const last = to ?? from;
  if (last > steps || steps - last >= distortEvery || last === 0) return [];
  const message =
    to === undefined
      ? `leaves one distortion, at the end of training (step ${steps}): nothing is left to recover from it`
      : `comes ${steps === to ? 'with' : 'right before'} the end of training (step ${steps}): the target rate is reached with no ` +
        'step left to recover from it';
  const path = [...compression, 'schedule', to === undefined ? 'from' : 'to'];
  return [finding(document, { path }, { ...NO_STEP, message })];
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
          `is no multiple of distortEvery (${distortEvery} steps): the run ends with a distortion only ` +
          `${rest === 1 ? '1 step' : `${rest} steps`} after the one before it`,
        fixes: [setTo(document, STEPS, steps - rest + distortEvery), setTo(document, STEPS, steps - rest)],
      },
    ),
  ];
}
