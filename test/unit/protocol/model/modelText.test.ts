import { describe, expect, test } from 'vitest';
import { layerCalls, locateLayers } from '../../../../server/protocol/model/modelText.ts';

const model = `
import * as tf from '@tensorflow/tfjs';
// tf.layers.dense({ name: 'comment', units: 1 })
export function createModel() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ units: 300, name: 'fc1', kernelInitializer: tf.initializers.randomUniform({ name: 'no' }) }));
  model.add(tf.layers.dense({ kernelInitializer: { name: 'inner' }, units: 100 })); /* name: 'fc2' */
  for (let i = 0; i < 2; i++) model.add(layers.lstm({ name: \`lstm\${i + 1}\`, units: 8 }));
  model.add(tf.layers.timeDistributed({ name: "softmax", layer: tf.layers.dense({ name: 'log)its', units: 10 }) }));
  model.add(tf.layers.dense(options));
  return model;
}
`;

describe('the calls that make layers', () => {
  const calls = layerCalls(model);

  test('are found with their names, and not in comments', () => {
    expect(calls.map(({ kind, name }) => [kind, name?.text])).toEqual([
      ['dense', 'fc1'],
      ['dense', undefined],
      ['lstm', 'lstm${i + 1}'],
      ['timeDistributed', 'softmax'],
      ['dense', 'log)its'],
      ['dense', undefined],
    ]);
  });

  test('have the offsets of the text, comments and all', () => {
    const [first] = calls;
    expect(model.slice(first.name!.start, first.name!.end)).toBe('fc1');
    expect(model.slice(first.start, first.end)).toMatch(/^dense\(\{ units: 300.*\}\)$/);
    expect(model.slice(first.options!.start, first.options!.end)).toMatch(/^\{ units.*\}\) \}$/);
  });

  test('are left out while their parentheses are open', () => {
    expect(layerCalls("tf.layers.dense({ name: 'fc1'")).toEqual([]);
  });

  test('are the places of layers by name, by template, by order for those that tfjs named', () => {
    const layers = ['fc1', 'dense_Dense2', 'lstm1', 'lstm2', 'softmax/log)its', 'dense_Dense4', 'elsewhere'];
    const places = locateLayers(
      layers.map((layer) => ({ layer })),
      calls,
    );
    expect([...places].map(([{ layer }, call]) => [layer, calls.indexOf(call)])).toEqual([
      ['fc1', 0],
      ['dense_Dense2', 1],
      ['lstm1', 2],
      ['lstm2', 2],
      ['softmax/log)its', 4],
      ['dense_Dense4', 5],
    ]);
  });

  test('without a name are none of a layer whose name somebody chose', () => {
    const layers = ['enc_Layer0', 'fpn_P3', 'dense_Dense1'].map((layer) => ({ layer, layerClass: 'Dense' }));
    const [call] = layerCalls('layers.dense({ units: 2 })');
    expect([...locateLayers(layers, [call])]).toEqual([[layers[2], call]]);
  });
});
