/**
 * @file Sensitivity: what the metric of a trained model loses when one of its weights is compressed and nothing is trained after it (Han et al.
 * 2015, section 4.1; Li et al. 2017, section 3.2), and the settings that this suggests.
 */
import { join } from 'node:path';
import type { Split } from '../data/dataset.ts';
import type { Experiment } from '../protocol/experiment/schema.ts';
import { isGreaterBetter } from '../protocol/run/metricDirection.ts';
import { reasonOf } from '../protocol/systemError.ts';
import { elementCount, floatBytes } from '../protocol/shape.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import { evaluationBatchSize } from '../training/evaluateSplit.ts';
import { identityOf, Measurements, type Measurement } from './measurements.ts';
import type { SensitivityCell, SensitivityReport, SplitName } from '../protocol/run/sensitivityReport.ts';
import { abortable, contentOf, partOf, splitOf } from './samples.ts';
import { keysOf, trialsOf, type Trial, type TrialOptions } from './settings.ts';
import { withSubject, type Origin, type Subject } from './subject.ts';
import { suggest } from './suggestion.ts';

/** Metrics are sums of 32-bit floats: a relative difference of theirs up to this is none. */
const ROUNDING = 1e-7;

export interface SensitivityOptions extends TrialOptions {
  readonly origin: Origin;
  readonly split: SplitName;
  /** Samples to evaluate on; undefined for all of the split. */
  readonly samples?: number | undefined;
  /** Compressions whose other settings of a layer (levels, patterns) are tried with; default: those of the experiment. */
  readonly like?: Pick<Experiment, 'compression'> | undefined;
  /** How much worse the metric may become, in its unit; undefined where nothing is to be suggested. */
  readonly maxDrop?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

/**
 * Compresses each weight alone, at each setting, and evaluates the model. The weights on the disk stay as they are. What was measured is kept
 * beside the run, also of a call that is cancelled, and not measured again.
 * @throws UserError where there is nothing to measure, SettingError for what does not fit; the signal's reason when it aborts
 */
export async function measureSensitivity(options: SensitivityOptions): Promise<SensitivityReport> {
  const { origin, signal, onProgress } = options;
  onProgress({ phase: 'loading' });
  return withSubject(origin, signal, async (subject) => {
    const { prepared, folder } = subject;
    const trials = trialsOf(options.like ?? prepared.live.experiment, prepared.weights, options);
    const { split, samples, content } = await samplesOf(subject, options);
    const file = join(folder, `${await identityOf(prepared, content)}.json`);
    const measurements = await Measurements.open({ prepared, split, signal }, file);
    let report: SensitivityReport;
    try {
      report = await scan(subject, { trials, samples, measurements }, options);
    } catch (error) {
      await measurements.keep().catch(() => undefined);
      throw error;
    }
    const notKept = await measurements.keep().then(() => undefined, reasonOf);
    if (notKept === undefined) return report;
    return { ...report, warnings: [...report.warnings, `not kept for another call: ${notKept}`] };
  });
}

/** The samples that each setting is evaluated on, and the SHA-256 of their content. */
async function samplesOf(
  { prepared: { program, dataset } }: Subject,
  { split: name, samples: most, signal }: SensitivityOptions,
): Promise<{ split: Split; samples: number; content: string }> {
  const whole = abortable(splitOf(dataset, name), signal);
  const batchSize = evaluationBatchSize(program, whole);
  const split = await partOf(whole, most, { batchSize, isText: dataset.vocabulary !== undefined });
  const { hash, samples } = await contentOf(split, batchSize);
  return { split, samples, content: hash };
}

/** The settings that are tried, the number of samples, and what evaluates the model on them. */
interface Scan {
  readonly trials: readonly Trial[];
  readonly samples: number;
  readonly measurements: Measurements;
}

async function scan(
  { prepared, folder: _, ...source }: Subject,
  { trials, samples, measurements }: Scan,
  { split, maxDrop, onProgress }: SensitivityOptions,
): Promise<SensitivityReport> {
  const progress = (settings: number) => onProgress({ phase: 'scanning', settings, of: trials.length });
  progress(0);
  const { metric } = prepared.program;
  const baseline = checkFinite(await measurements.of([]), metric, split);
  const dropOf = ({ value, loss }: Measurement) => {
    // Outputs that are no numbers can still be counted as right or wrong.
    if (value === null || loss === null) return null;
    const drop = isGreaterBetter(metric) ? baseline.value - value : value - baseline.value;
    return Math.abs(drop) <= ROUNDING * Math.abs(baseline.value) ? 0 : drop;
  };
  const cells: SensitivityCell[] = [];
  for (const { weight, method, parameter, value: setting, compression } of trials) {
    const measured = await measurements.of([compression]);
    const { value, loss } = measured;
    cells.push({
      ...{ weight: weight.name, method, parameter, setting, value, loss },
      drop: dropOf(measured),
      bytes: measured.bytes[weight.name],
      error: measured.errors[weight.name],
    });
    progress(cells.length);
  }
  const keys = keysOf(prepared.weights);
  const scanned = new Set(trials.map(({ weight }) => weight));
  const report = {
    ...source,
    ...{ split, samples, metric, ...baseline },
    bytes: prepared.weights.reduce((sum, { shape }) => sum + floatBytes(shape), 0),
    weights: [...scanned].map((weight) => ({
      name: weight.name,
      key: keys.get(weight) ?? weight.name,
      shape: weight.shape,
      weights: elementCount(weight.shape),
      bytes: floatBytes(weight.shape),
    })),
    cells,
  };
  if (maxDrop === undefined) return { ...report, evaluations: measurements.evaluations };
  onProgress({ phase: 'easing' });
  const { experiment } = prepared.live;
  const suggestion = await suggest(report, trials, { experiment, maxDrop, dropOf, measurements });
  return { ...report, suggestion, evaluations: measurements.evaluations };
}

/** @throws UserError for a model that no drop can be measured from */
function checkFinite(
  { value, loss, notFinite }: Measurement,
  metric: string,
  split: SplitName,
): { value: number; loss: number } {
  if (value !== null && loss !== null) return { value, loss };
  throw new UserError(
    `The ${value === null ? metric : 'loss'} of the model on the ${split} split is not a finite number, without any compression` +
      `${notFinite === undefined ? '' : `: ${notFinite}`}.`,
    { remedy: 'Mend the data, or take the weights of a training that did not diverge.', exitCode: ExitCode.failed },
  );
}
