/**
 * @file A run's snapshot made ready to be sent. A message carries whole buffers, however little of one a typed array shows,
 * and each buffer costs a fixed amount: so all numbers are copied into a few buffers that hold nothing else.
 */
import { restoreMeasured } from './restoreMeasured.ts';
import type { Columns } from './runHistoryColumns.ts';
import type { RunSnapshot } from './runHistory.ts';

/** The snapshot over buffers of its own, which may be transferred. */
export function packSnapshot(snapshot: RunSnapshot): { snapshot: RunSnapshot; buffers: ArrayBuffer[] } {
  const [metrics, metricsBuffer] = packColumns(snapshot.metrics);
  const [distortions, distortionsBuffer] = packColumns(snapshot.distortions);

  const countsBuffer = new ArrayBuffer(4 * sum(snapshot.weights, ({ before, after }) => before.length + after.length));
  const counts = packer<Uint32Array>(new Uint32Array(countsBuffer));
  const weights = mapItems(snapshot.weights, (item) => ({
    ...item,
    before: counts(item.before),
    after: counts(item.after),
  }));

  const valuesBuffer = new ArrayBuffer(4 * sum(snapshot.spectra, ({ singularValues }) => singularValues.length));
  const values = packer<Float32Array>(new Float32Array(valuesBuffer));
  const spectra = mapItems(snapshot.spectra, (item) => ({ ...item, singularValues: values(item.singularValues) }));

  return {
    snapshot: { ...snapshot, metrics, distortions, weights, spectra },
    buffers: [metricsBuffer, distortionsBuffer, countsBuffer, valuesBuffer],
  };
}

/** Puts NaN back where a message had to carry null, in place; to be done to a snapshot that arrived in one. */
export function restoreSnapshot(snapshot: RunSnapshot): RunSnapshot {
  for (const event of [...snapshot.evaluations, ...(snapshot.end ? [snapshot.end] : [])]) restoreMeasured(event);
  for (const item of Object.values(snapshot.weights).flat() as { relativeError: number | null }[]) {
    item.relativeError ??= NaN;
  }
  return snapshot;
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

function packColumns<Name extends string>({ length, columns }: Columns<Name>): [Columns<Name>, ArrayBuffer] {
  const entries = Object.entries(columns) as [Name, Float64Array][];
  const buffer = new ArrayBuffer(8 * length * entries.length);
  const packed = entries.map(([name, column], index) => {
    const place = new Float64Array(buffer, 8 * length * index, length);
    place.set(column.subarray(0, length));
    return [name, place];
  });
  return [{ length, columns: Object.fromEntries(packed) as Record<Name, Float64Array> }, buffer];
}
