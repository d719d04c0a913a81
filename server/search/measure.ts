/** @file What is measured of the dense model, once for a search: how sensitive its layers are, their gradients and the energy of their weights. */
import type { RowGradient } from '../memory/rowGradient.ts';
import { compressionsOf } from '../protocol/experiment/compressions.ts';
import { methodFacts } from '../protocol/experiment/methods/index.ts';
import type { Experiment, Method } from '../protocol/experiment/schema.ts';
import { samplesPerStep } from '../protocol/experiment/times.ts';
import type { ExportProgress } from '../protocol/wire/progressLine.ts';
import { measureSensitivity } from '../sensitivity/index.ts';
import type { SensitivityReport } from '../protocol/run/sensitivityReport.ts';
import { withSubject, type Origin, type Subject } from '../sensitivity/subject.ts';
import type { LayerStage, SearchedWeight } from './layerOptions.ts';
import type { CurvePoint, MeasuredWeight } from './ways.ts';

/** Rates at which layers are measured alone; between them, curves are interpolated. */
const RATES = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995];
/** Values of a layer that are measured where its method proposes none for all layers. */
const MOST_VALUES = 8;
/** Batches whose gradients are averaged. */
const GRADIENT_BATCHES = 20;
/** Samples that all evaluations together may take, as a part of the samples of a full run: an evaluation takes about a third of a training step. */
const EVALUATED_PART = 0.6;
const FEWEST_SAMPLES = 200;

export interface MeasureOptions {
  readonly origin: Origin;
  /** The experiment with the compressions of the file, with any values for those that are open. */
  readonly experiment: Experiment;
  readonly searched: readonly SearchedWeight[];
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExportProgress) => void;
}

export interface Measured {
  readonly weights: readonly MeasuredWeight[];
  /** Metric of the dense model on the samples that layers were measured on. */
  readonly value: number;
}

/** @throws UserError where the data have no validation split; the signal's reason when it aborts */
export async function measureWeights(options: MeasureOptions): Promise<Measured> {
  const { experiment, searched } = options;
  const groups = groupsOf(searched);
  const settings = groups.reduce((sum, { values, weights }) => sum + values.length * weights.length, 0);
  const { training } = experiment;
  const trained = training.steps * samplesPerStep(training);
  const samples = Math.max(FEWEST_SAMPLES, Math.floor((EVALUATED_PART * trained) / Math.max(1, settings)));
  const curves = new Map<string, Record<string, CurvePoint[]>>();
  let report: SensitivityReport | undefined;
  for (const group of groups) {
    report = await scan(group, samples, options);
    const { cells, loss: dense } = report;
    const none = weakestPoint(group.method);
    for (const weight of group.weights) {
      const own = cells.filter((cell) => cell.weight === weight);
      // A setting with which the loss is not finite costs more than all others.
      const most = Math.max(0, ...own.flatMap(({ loss }) => (loss === null ? [] : loss - dense)));
      const points = own.map(({ setting, error, loss }) => ({
        value: setting,
        error,
        rise: loss === null ? 2 * most + 1 : loss - dense,
      }));
      curves.set(weight, { ...curves.get(weight), [group.compression]: none ? [none, ...points] : points });
    }
  }
  const gradients = await gradientsOf(options);
  return {
    weights: searched.map(({ weight: { name } }) => ({
      name,
      ...gradients.get(name)!,
      curves: curves.get(name) ?? {},
    })),
    value: report?.value ?? NaN,
  };
}

/** Layers of a compression that are measured at the same values. */
interface Group {
  readonly compression: number;
  readonly method: Method;
  readonly values: readonly number[];
  readonly weights: readonly string[];
}

function groupsOf(searched: readonly SearchedWeight[]): Group[] {
  const groups = new Map<string, Group & { weights: string[] }>();
  for (const { weight, stages } of searched)
    for (const stage of stages.filter(({ isOpen }) => isOpen)) {
      const values = measuredValues(stage);
      const key = JSON.stringify([stage.compression, values]);
      const group = groups.get(key) ?? { compression: stage.compression, method: stage.method, values, weights: [] };
      groups.set(key, group);
      group.weights.push(weight.name);
    }
  return [...groups.values()];
}

function measuredValues({ parameter, values }: LayerStage): number[] {
  if (parameter === 'rate') {
    const [least, greatest] = [values[0], values[values.length - 1]];
    const within = RATES.filter((rate) => rate >= least && rate <= greatest);
    return within.length > 0 ? within : [greatest];
  }
  if (values.length <= MOST_VALUES) return [...values];
  return Array.from(
    { length: MOST_VALUES },
    (_, i) => values[Math.round((i * (values.length - 1)) / (MOST_VALUES - 1))],
  );
}

/** What a rate of 0 does; undefined for parameters of which no value leaves a weight as it is. */
function weakestPoint(method: Method): CurvePoint | undefined {
  return methodFacts[method].leaves === 'zeros' ? { value: 0, error: 0, rise: 0 } : undefined;
}

async function scan(
  { compression, method, values, weights }: Group,
  samples: number,
  options: MeasureOptions,
): Promise<SensitivityReport> {
  const { origin, experiment, signal, onProgress } = options;
  const like = { compression: compressionsOf(experiment)[compression] };
  return measureSensitivity({
    origin,
    split: 'validation',
    samples,
    layers: weights,
    methods: [method],
    values,
    like,
    signal,
    onProgress,
  });
}

/** The energy of each weight, and the mean square of its gradient on training batches. */
async function gradientsOf({
  origin,
  searched,
  signal,
}: MeasureOptions): Promise<Map<string, Pick<MeasuredWeight, 'energy' | 'gradient'>>> {
  return withSubject(origin, signal, async ({ prepared }: Subject) => {
    const { parameters, executor, dataset, live, seeding } = prepared;
    const { training } = live.experiment;
    const batchSize = samplesPerStep(training);
    const found = new Map<string, { energy: number; gradient: number }>(
      searched.map(
        ({ weight: { name } }) =>
          [name, { energy: sumOfSquares(parameters.byName.get(name)!.value), gradient: 0 }] as const,
      ),
    );
    const stream = await dataset.openTraining({ batchSize, seed: training.seed, seeding, step: 0 });
    try {
      const batches = Math.min(GRADIENT_BATCHES, training.steps);
      for (let step = 0; step < batches; step++) {
        signal.throwIfAborted();
        await executor.step(await stream.next(), step);
        for (const [name, own] of found) {
          const { gradient, value } = parameters.byName.get(name)!;
          own.gradient += gradientSquares(gradient) / value.length / batches;
        }
      }
    } finally {
      await stream.close();
    }
    return found;
  });
}

function gradientSquares(gradient: Float32Array | RowGradient): number {
  if (gradient instanceof Float32Array) return sumOfSquares(gradient);
  const { indices, values } = gradient;
  const width = values.length / Math.max(1, indices.length);
  const rows = new Map<number, Float32Array>();
  for (const [i, row] of indices.entries()) {
    const part = values.subarray(i * width, (i + 1) * width);
    const sum = rows.get(row);
    if (sum) for (const [j, value] of part.entries()) sum[j] += value;
    else rows.set(row, part.slice());
  }
  return [...rows.values()].reduce((sum, row) => sum + sumOfSquares(row), 0);
}

function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
