/** @file A run of a large model, for tests of what views do with many layers, long names and layers of one weight. */
import type { EventOf, RunEvent } from '../../../server/protocol/run/events.ts';
import { metricsEvent } from './runFixture.ts';

/** Layers with names of 80 characters, every tenth of one weight. */
function layerNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    `encoder.block_${i}.attention.self.query_key_value_projection_with_relative_positions`.padEnd(73, '_').slice(0, 73),
  ).map((name, i) => `${i}${name.slice(String(i).length)}/kernel`);
}

/** @param seed another one makes another run of the same model */
export function largeRunEvents(layers: number, seed: number): RunEvent[] {
  const names = layerNames(layers);
  const shapeOf = (i: number) => (i % 10 === 9 ? [1] : [64, 32]);
  const weightsOf = (i: number) => shapeOf(i).reduce((product, size) => product * size, 1);
  const started: EventOf<'started'> = {
    ...{ type: 'started', step: 0, time: 0, run: `run-${seed}`, device: 'a processor', executor: 'compiled' },
    layers: names.map((name, i) => ({
      ...{ name, layer: name.split('/')[0], shape: shapeOf(i), compressed: weightsOf(i) > 1, key: '*' },
      setting: { rate: 0.9 },
    })),
    config: {
      training: { steps: 100, seed },
      observe: { bins: 3, spectrum: true },
      compression: { method: 'prune', policy: 'deeptwist', distortEvery: 10, layers: { '*': { rate: 0.9 } } },
      model: `builtin:${seed}`,
    } as unknown as EventOf<'started'>['config'],
  };
  const distortion = (step: number): RunEvent => ({
    ...{ type: 'distortion', step, time: 1000 * step, lossBefore: 1 / step, lossAfter: 1.1 / step },
    weights: names.flatMap((name, i) => {
      const all = weightsOf(i);
      if (all === 1) return [];
      const left = Math.round(all * (1 - step / 120));
      return {
        ...{
          name,
          setting: { rate: 0.9 },
          relativeError: step / 200,
          size: { weightsKept: left, bytesKept: 4 * left },
        },
        histogram: {
          ...{ minimum: -1, maximum: 1, before: [all / 4, all / 2, all / 4], after: [left / 2, all - left, left / 2] },
          ...{ zerosBefore: 0, zerosAfter: all - left, nearZerosBefore: 3, nearZerosAfter: 0 },
        },
      };
    }),
  });
  const spectrum = (step: number): RunEvent => ({
    ...{ type: 'spectrum', step, time: 1000 * step },
    weights: names.flatMap((name, i) =>
      weightsOf(i) === 1 ? [] : [{ name, singularValues: Array.from({ length: 32 }, (_, k) => 9 / (k + 1)), rank: 8 }],
    ),
  });
  const evaluation = (step: number): RunEvent => ({
    ...{ type: 'evaluation', step, time: 1000 * step, split: 'test', metric: 'accuracy', moment: 'training' },
    ...{ value: 1 - 1 / (step + seed), loss: 1 / step },
  });
  const steps = Array.from({ length: 100 }, (_, i) => i + 1);
  return [
    started,
    ...steps.flatMap((step) => [
      metricsEvent(step, seed / step),
      ...(step % 10 === 0 ? [distortion(step), spectrum(step), evaluation(step)] : []),
    ]),
  ];
}
