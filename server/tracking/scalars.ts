/** @file The numbers of a run over its steps, under the names that programs for experiment tracking show them by. */
import * as z from 'zod';
import type { EventOf, RunEvent } from '../protocol/run/events.ts';
import { compressedSize } from '../protocol/run/compressedSize.ts';

/** Bytes of a number of a weight that is not compressed. */
const BYTES_OF_FLOAT = 4;

export interface Scalar {
  readonly name: string;
  readonly value: number;
}

/** What was last recorded of the compressed weights, by their names. */
export const compressedWeightsSchema = z.record(
  z.string(),
  z.object({ weights: z.int(), zeros: z.int(), bytes: z.number().optional() }),
);

export type CompressedWeights = z.output<typeof compressedWeightsSchema>;

type DistortedWeight = EventOf<'distortion'>['weights'][number];

/**
 * The numbers of an event; none of most.
 * @param compressed what is known of the compressed weights, which a distortion changes
 */
export function scalarsOf(event: RunEvent, compressed: CompressedWeights): Scalar[] {
  switch (event.type) {
    case 'metrics':
      return metricScalars(event);
    case 'evaluation':
      return evaluationScalars(event);
    case 'distortion':
      return [
        ...defined('distortion/loss_before', event.lossBefore),
        ...defined('distortion/loss_after', event.lossAfter),
        ...weightScalars(event.weights, compressed),
      ];
    case 'observation':
      // What a user asked to see has not happened to the weights.
      return event.scheduled ? weightScalars(event.weights, compressed) : [];
    case 'spectrum':
      return event.weights.flatMap(({ name, rank }) => defined(`rank/${name}`, rank));
    case 'thinned':
      return [
        { name: 'thinned/parameters', value: event.parameters.after },
        { name: 'thinned/multiply_adds', value: event.multiplyAdds.after },
      ];
    case 'finished':
      return finalScalars(event.summary);
    case 'started':
    case 'pretrained':
    case 'checkpoint':
    case 'warning':
    case 'changed':
    case 'failed':
    case 'stopped':
      return [];
  }
}

function metricScalars(event: EventOf<'metrics'>): Scalar[] {
  const { loss, learningRate, stepsPerSecond, epoch, losses = {}, shares = {} } = event;
  return [
    { name: 'train/loss', value: loss },
    ...Object.entries(losses).map(([part, value]) => ({ name: `train/loss_${part}`, value })),
    ...Object.entries(shares).map(([share, value]) => ({ name: `train/share_${share}`, value })),
    { name: 'train/learning_rate', value: learningRate },
    { name: 'train/epoch', value: epoch },
    { name: 'train/steps_per_second', value: stepsPerSecond },
  ];
}

/** An evaluation around the end of a run is at the step of the last one while it trained: it has names of its own. */
function evaluationScalars({ split, metric, value, loss, measures = {}, moment }: EventOf<'evaluation'>): Scalar[] {
  const prefix = moment === 'training' ? split : `${moment.replaceAll('-', '_')}/${split}`;
  const all = { loss, ...measures, [metric]: value };
  return Object.entries(all).map(([name, own]) => ({ name: `${prefix}/${name}`, value: own }));
}

function weightScalars(weights: readonly DistortedWeight[], compressed: CompressedWeights): Scalar[] {
  const own = weights.flatMap((weight): Scalar[] => {
    const { name, histogram, relativeError, nuclearNorm, units, size } = weight;
    const count = histogram.after.reduce((sum, bin) => sum + bin, 0);
    compressed[name] = { weights: count, zeros: histogram.zerosAfter, bytes: size?.bytesKept };
    return [
      { name: `sparsity/${name}`, value: count === 0 ? NaN : histogram.zerosAfter / count },
      ...defined(`bytes/${name}`, size?.bytesKept),
      { name: `relative_error/${name}`, value: relativeError },
      ...defined(`rank/${name}`, nuclearNorm?.rank),
      ...defined(`nuclear_norm/${name}`, nuclearNorm?.after),
      ...defined(`units/${name}`, units?.left),
    ];
  });
  return [...own, ...totals(Object.values(compressed))];
}

/** All compressed weights together, as they were recorded last. */
function totals(compressed: readonly CompressedWeights[string][]): Scalar[] {
  const sum = (of: (weight: CompressedWeights[string]) => number) => compressed.reduce((all, one) => all + of(one), 0);
  const weights = sum((one) => one.weights);
  if (weights === 0) return [];
  const bytes = sum((one) => one.bytes ?? NaN);
  return [
    { name: 'compressed/sparsity', value: sum((one) => one.zeros) / weights },
    ...(bytes > 0
      ? [
          { name: 'compressed/bytes', value: bytes },
          { name: 'compressed/ratio', value: (BYTES_OF_FLOAT * weights) / bytes },
        ]
      : []),
  ];
}

function finalScalars(summary: EventOf<'finished'>['summary']): Scalar[] {
  const size = compressedSize(summary);
  return [
    { name: 'final/bytes', value: size.bytes },
    { name: 'final/ratio', value: size.ratio },
    { name: 'final/weights', value: summary.weights },
    { name: 'final/weights_kept', value: summary.weightsKept },
    { name: 'final/training_seconds', value: summary.trainingSeconds },
    { name: 'final/steps_per_second', value: summary.stepsPerSecond },
  ];
}

function defined(name: string, value: number | undefined): Scalar[] {
  return value === undefined ? [] : [{ name, value }];
}
