/** @file What a run records about its weights: how each is compressed, histograms around a distortion, spectra before it. */
import type { Compressor } from '../compression/compressor.ts';
import { weightHistogram } from '../compression/histogram.ts';
import { viewOfWeight, storedMatrix } from '../compression/targets/matrixView.ts';
import { denseSize, sizeLeft } from '../compression/size.ts';
import { isMatrix, type MatchedWeight, type CompressibleWeight } from '../compression/targets/targets.ts';
import { singularValues } from '../linalg/singularValues.ts';
import { methodFacts } from '../protocol/experiment/methods/index.ts';
import { compressionsOf } from '../protocol/experiment/compressions.ts';
import type { Experiment } from '../protocol/experiment/schema.ts';
import type { EventOf } from '../protocol/run/events.ts';
import type { Prepared } from './prepare.ts';

type SpectrumOf = EventOf<'spectrum'>['weights'][number];

/** About as many distortions of a run are recorded unless the experiment says otherwise. */
const OBSERVATIONS = 100;

/** All weights of the model, in its order: the key that chose each one, and the setting that it has at the end of the run. */
export function recordedLayers({ weights, compressor, live, shapes }: Prepared): EventOf<'started'>['layers'] {
  return weights.map(({ name, layer, shape }) => {
    const target = compressor?.targets.find(({ weight }) => weight.name === name);
    const whole = shapes.get(name) ?? shape;
    return {
      name,
      layer,
      shape: [...whole],
      ...(whole.join() !== shape.join() && { left: [...shape] }),
      compressed: target !== undefined,
      ...(target && {
        key: target.compressions[0].key,
        methods: target.compressions.map(({ stage }) => stage.compression.method),
        setting: compressor?.settingAt(target, live.experiment.training.steps),
      }),
    };
  });
}

/** Decides which distortions are recorded. */
export function isObserved(experiment: Experiment, step: number, lastObservation: number): boolean {
  const { observe, training } = experiment;
  const every = observe.every ?? Math.max(1, Math.floor(training.steps / OBSERVATIONS));
  return step === training.steps || lastObservation === 0 || step - lastObservation >= every;
}

/** Decides whether spectra are recorded before an observed distortion: before the first and the last, or before each. */
export function wantsSpectrum(experiment: Experiment, step: number, lastObservation: number): boolean {
  if (!experiment.observe.spectrum) return false;
  const isAlwaysWanted = compressionsOf(experiment).some(({ method }) => methodFacts[method].spectrumAtEachObservation);
  return isAlwaysWanted || lastObservation === 0 || step === experiment.training.steps;
}

/** Singular values of every weight that is compressed, of its matrix view. */
export async function observeSpectra(compressor: Compressor, step: number): Promise<SpectrumOf[]> {
  const spectra: SpectrumOf[] = [];
  for (const target of compressor.targets) {
    const { rank } = compressor.settingAt(target, step);
    const threshold = compressor.thresholdOf(target);
    spectra.push({
      ...(await spectrumOf(target)),
      ...(rank !== undefined && { rank }),
      ...(threshold !== undefined && { threshold }),
    });
  }
  return spectra;
}

/**
 * The weights as they are, and what a distortion would make of them at this step; nothing is changed. Of a run that
 * compresses nothing: every matrix, before and after the same.
 */
export async function observeWeights(
  { compressor, weights, live }: Prepared,
  step: number,
): Promise<{ weights: EventOf<'observation'>['weights']; spectra: SpectrumOf[] }> {
  const { bins, spectrum } = live.experiment.observe;
  if (compressor) {
    const spectra = spectrum ? await observeSpectra(compressor, step) : [];
    return { weights: await compressor.preview(step, { bins }), spectra };
  }
  const matrices = weights.filter(isMatrix);
  const spectra: SpectrumOf[] = [];
  for (const weight of spectrum ? matrices : []) {
    spectra.push(await spectrumOf({ weight, view: viewOfWeight(weight) }));
  }
  return {
    weights: matrices.map(({ name, values }) => ({
      name,
      setting: {},
      histogram: weightHistogram(values, values, bins),
      relativeError: 0,
      size: sizeLeft(denseSize(values.length)),
    })),
    spectra,
  };
}

async function spectrumOf({
  weight,
  view,
}: Pick<MatchedWeight<CompressibleWeight>, 'weight' | 'view'>): Promise<SpectrumOf> {
  const { data, rows, columns } = storedMatrix(weight.values, view);
  return { name: weight.name, singularValues: [...(await singularValues(data, rows, columns))] };
}
