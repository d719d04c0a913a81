/** @file What a run records about its weights: histograms around a distortion, spectra before it. */
import type { Compressor } from '../compression/compressor.ts';
import { storedMatrix } from '../compression/lowRank.ts';
import { singularValues } from '../linalg/singularValues.ts';
import type { Experiment } from '../protocol/config.ts';
import type { EventOf } from '../protocol/events.ts';

/** About as many distortions of a run are recorded unless the experiment says otherwise. */
const OBSERVATIONS = 100;

/** Decides which distortions are recorded. */
export function isObserved(experiment: Experiment, step: number, lastObservation: number): boolean {
  const { observe, training } = experiment;
  const every = observe.every ?? Math.max(1, Math.floor(training.steps / OBSERVATIONS));
  return step === training.steps || lastObservation === 0 || step - lastObservation >= every;
}

/** Whether spectra are recorded before an observed distortion: always for low rank, else before the first and the last. */
export function wantsSpectrum(experiment: Experiment, step: number, lastObservation: number): boolean {
  if (!experiment.observe.spectrum) return false;
  return experiment.compression?.method === 'low-rank' || lastObservation === 0 || step === experiment.training.steps;
}

/** Singular values of every weight that is compressed, of its matrix view. */
export async function observeSpectra(compressor: Compressor, step: number): Promise<EventOf<'spectrum'>['weights']> {
  const spectra: EventOf<'spectrum'>['weights'] = [];
  for (const target of compressor.targets) {
    const { data, rows, columns } = storedMatrix(target.weight.values, target.view);
    const values = await singularValues(data, rows, columns);
    const { rank } = compressor.settingAt(target, step);
    spectra.push({ name: target.weight.name, singularValues: [...values], ...(rank !== undefined && { rank }) });
  }
  return spectra;
}
