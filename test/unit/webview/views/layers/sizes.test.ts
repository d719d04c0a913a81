/** @file One number for what is left of a weight: in the Layers view, beside the code, and in the summary of a run that really trained. */
import { expect, test } from 'vitest';
import { measuredWeights, shareKept, shareLeft } from '../../../../../extension/weightsInCode/measures.ts';
import { eventSchema, type RunEvent } from '../../../../../server/protocol/run/events.ts';
import { layerTable } from '../../../../../webview/views/layers/layerRows.ts';
import { CLASSES, eventsOf, FEATURES, statefulLstm, workspace } from '../../../training/workspace.ts';
import { snapshotOf } from '../../runFixture.ts';

/** Depthwise kernel [2, 2, 2, 3], whose output units are its last two axes; `fc` [6, 3]. */
const convolution = `
  import * as tf from '@tensorflow/tfjs';
  export const createModel = () => tf.sequential({ layers: [
    tf.layers.reshape({ targetShape: [2, 2, 2], inputShape: [${FEATURES}] }),
    tf.layers.depthwiseConv2d({ name: 'conv', kernelSize: 2, depthMultiplier: 3 }),
    tf.layers.flatten(),
    tf.layers.dense({ name: 'fc', units: ${CLASSES}, activation: 'softmax' }),
  ] });
`;

test.each([
  { compression: { method: 'prune', layers: { conv: { rate: 0.5 }, fc: { rate: 0.75 } } } },
  { compression: { method: 'quantize', layers: { conv: { bits: 1 }, fc: { bits: 2, scales: 'matrix' } } } },
  { compression: { method: 'low-rank', layers: { '*': { rank: 2 } } } },
  { compression: { method: 'low-rank', layers: { '*': { rank: 2, sharedProjection: true } } }, model: statefulLstm },
])('$compression.method: $compression.layers', async ({ compression, model = convolution }) => {
  const { run } = await workspace({ model, compression: { ...compression, distortEvery: 4 } });
  const { events } = await run();
  const [{ summary }] = eventsOf(events, 'finished');
  const ofSummary = summary.layers.map(({ name, weightsKept, bytesKept }) => ({ name, weightsKept, bytesKept }));

  const whileItTrains = events.filter(({ type }) => type !== 'finished');
  for (const known of [whileItTrains, events]) {
    expect(layerTable(snapshotOf(known))?.rows).toMatchObject(ofSummary);
    expect(besideTheCode(known)).toEqual(
      summary.layers
        .filter(({ shape }) => shape.length > 1)
        .map(({ name, weights, weightsKept, bytes, bytesKept }) => [name, weightsKept / weights, bytesKept / bytes]),
    );
  }
});

test('a log of an earlier version is shown as before, with blanks for what it does not tell', async () => {
  const compression = { method: 'prune', distortEvery: 4, layers: { conv: { rate: 0.5 } } };
  const { run } = await workspace({ model: convolution, compression });
  const { events } = await run();
  const earlier = events.map((event) => eventSchema.parse(JSON.parse(JSON.stringify(inEarlierVersion(event)))));
  expect(JSON.stringify(earlier)).not.toMatch(/"key"|"size"/);
  const [kernel, bias] = layerTable(snapshotOf(events))!.rows;
  const finished = layerTable(snapshotOf(earlier))!;
  expect(finished.rows.slice(0, 2)).toEqual([{ ...kernel, key: undefined, target: undefined }, bias]);

  const whileItTrains = earlier.filter(({ type }) => type !== 'finished');
  const { rows, totals } = layerTable(snapshotOf(whileItTrains))!;
  expect(rows[0]).toMatchObject({ method: 'prune', now: { rate: 0.5 }, weights: 24, bytes: 96 });
  expect([rows[0].weightsKept, rows[0].bytesKept, totals.bytesKept]).toEqual([undefined, undefined, undefined]);
  expect(besideTheCode(whileItTrains)).toEqual([
    ['conv/depthwise_kernel', undefined, undefined],
    ['fc/kernel', undefined, 1],
  ]);
  expect(besideTheCode(earlier)).toEqual(besideTheCode(events));
});

/** Without the key that chose a weight, its setting at the end of the run, and what a distortion leaves of it. */
function inEarlierVersion(event: RunEvent): RunEvent {
  if (event.type === 'started')
    return { ...event, layers: event.layers.map((layer) => ({ ...layer, key: undefined, setting: undefined })) };
  if (event.type === 'distortion')
    return { ...event, weights: event.weights.map((weight) => ({ ...weight, size: undefined })) };
  return event;
}

function besideTheCode(events: readonly RunEvent[]) {
  const [started] = eventsOf(events, 'started');
  const last = eventsOf(events, 'distortion').at(-1);
  const finished = eventsOf(events, 'finished').at(-1);
  return measuredWeights({ started, last, finished }).map((weight) => [
    weight.name,
    shareKept(weight),
    shareLeft(weight),
  ]);
}
