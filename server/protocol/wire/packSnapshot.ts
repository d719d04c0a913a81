/**
 * @file A run's snapshot made ready to be sent. A message carries whole buffers, however little of one a typed array shows,
 * and each buffer costs a fixed amount: so all numbers are copied into a few buffers that hold nothing else.
 */
import { restoreMeasured } from '../run/restoreMeasured.ts';
import { countsIn, type DistortionColumn, type MetricColumn, type RunSnapshot } from '../run/runHistory.ts';
import { packColumns, restoreColumns } from './sentColumns.ts';
import type { SentColumns } from './sentColumns.ts';

/** A snapshot in a message; {@link RunSnapshot}s are such, too. */
export interface SentSnapshot extends Omit<RunSnapshot, 'metrics' | 'losses' | 'shares' | 'distortions'> {
  readonly metrics: SentColumns<MetricColumn>;
  readonly losses?: SentColumns<string>;
  readonly shares?: SentColumns<string>;
  readonly distortions: SentColumns<DistortionColumn>;
}

/** The snapshot over buffers of its own, which may be transferred. */
export function packSnapshot(snapshot: RunSnapshot): { snapshot: SentSnapshot; buffers: ArrayBuffer[] } {
  const [metrics, metricsBuffers] = packColumns(snapshot.metrics);
  const [losses, lossesBuffers] = snapshot.losses ? packColumns(snapshot.losses) : [undefined, []];
  const [shares, sharesBuffers] = snapshot.shares ? packColumns(snapshot.shares) : [undefined, []];
  const [distortions, distortionsBuffers] = packColumns(snapshot.distortions);

  const countsBuffer = new ArrayBuffer(4 * sum(snapshot.weights, countsIn));
  const counts = packer<Uint32Array>(new Uint32Array(countsBuffer));
  const weights = mapItems(snapshot.weights, (item) => ({
    ...item,
    before: counts(item.before),
    after: counts(item.after),
    ...(item.scaledLevels && { scaledLevels: { ...item.scaledLevels, counts: counts(item.scaledLevels.counts) } }),
  }));

  const valuesBuffer = new ArrayBuffer(4 * sum(snapshot.spectra, ({ singularValues }) => singularValues.length));
  const values = packer<Float32Array>(new Float32Array(valuesBuffer));
  const spectra = mapItems(snapshot.spectra, (item) => ({ ...item, singularValues: values(item.singularValues) }));

  return {
    snapshot: {
      ...snapshot,
      metrics,
      ...(losses && { losses }),
      ...(shares && { shares }),
      distortions,
      weights,
      spectra,
    },
    buffers: [...metricsBuffers, ...lossesBuffers, ...sharesBuffers, ...distortionsBuffers, countsBuffer, valuesBuffer],
  };
}

/** The snapshot that was sent. Puts NaN back where the message had to carry null, in place. */
export function restoreSnapshot(snapshot: SentSnapshot): RunSnapshot {
  for (const event of [...snapshot.evaluations, ...(snapshot.end ? [snapshot.end] : [])]) restoreMeasured(event);
  for (const item of Object.values(snapshot.weights).flat() as { relativeError: number | null }[]) {
    item.relativeError ??= NaN;
  }
  const { losses, shares, ...rest } = snapshot;
  return {
    ...rest,
    metrics: restoreColumns(snapshot.metrics),
    ...(losses && { losses: restoreColumns(losses) }),
    ...(shares && { shares: restoreColumns(shares) }),
    distortions: restoreColumns(snapshot.distortions),
  };
}

type Items<Item> = Readonly<Record<string, readonly Item[]>>;

function sum<Item>(items: Items<Item>, lengthOf: (item: Item) => number): number {
  return Object.values(items)
    .flat()
    .reduce((total, item) => total + lengthOf(item), 0);
}

function mapItems<Item>(items: Items<Item>, change: (item: Item) => Item): Items<Item> {
  return Object.fromEntries(Object.entries(items).map(([name, list]) => [name, list.map(change)]));
}

/** Copies one array after the other into `target`; gives the place of each. */
function packer<Numbers extends Uint32Array | Float32Array>(target: Numbers): (numbers: Numbers) => Numbers {
  let offset = 0;
  return (numbers) => {
    const place = target.subarray(offset, (offset += numbers.length)) as Numbers;
    place.set(numbers);
    return place;
  };
}
