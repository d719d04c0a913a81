import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { CompiledExecutor } from '../../../server/compiler/compiledExecutor.ts';
import { EagerExecutor } from '../../../server/compiler/eagerExecutor.ts';
import { Random } from '../../../server/formats/random.ts';
import { modelOfTopology, parseTopology } from '../../../server/models/storedModel.ts';
import { functionProgram } from '../compiler/programs.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const SIZE = 20_000;

/** A dropout as a model's file has it, inside of another model. */
async function dropout(rate: number): Promise<tf.LayersModel> {
  const inner = tf.sequential({
    layers: [tf.layers.alphaDropout({ rate, inputShape: [2], noiseShape: undefined as unknown as number[] })],
  });
  const outer = tf.sequential({ layers: [inner, tf.layers.reshape({ targetShape: [2] })] });
  return modelOfTopology(parseTopology(outer.toJSON() as string), 'model.json');
}

describe('an alpha dropout', () => {
  test.each([0.05, 0.3, 0.6])('of rate %d keeps mean and variance, compiled and eagerly', async (rate) => {
    const model = await dropout(rate);
    const program = functionProgram(
      { moments: tf.ones([2]) },
      [{ dtype: 'float32', shape: [2] }],
      ({ moments }, [x]) => {
        const y = model.apply(x, { training: true }) as tf.Tensor;
        return tf.sum(tf.mul(moments, tf.stack([tf.mean(y), tf.mean(tf.square(y))])));
      },
    );
    const random = new Random(3);
    const uniform = () => (random.uniform() - 0.5) * Math.sqrt(12);
    const batch = { size: SIZE / 2, inputs: [Float32Array.from({ length: SIZE }, uniform)], targets: [] };
    const common = { seed: 1, stateBytes: () => 0 };
    const compiled = await CompiledExecutor.create(program, {
      ...common,
      batchSize: batch.size,
      threads: 1,
      rowGradients: false,
    });
    for (const executor of [compiled, new EagerExecutor(program, { ...common, backend: 'cpu' })]) {
      await executor.step(batch, 0);
      const [mean, square] = executor.parameters.byName.get('moments')!.gradient as Float32Array;
      // Four standard errors of 20,000 numbers.
      expect(Math.abs(mean)).toBeLessThan(0.03);
      expect(Math.abs(square - 1)).toBeLessThan(0.06);
    }
    await compiled.dispose();
  });

  test('changes nothing of what is predicted', async () => {
    const model = await dropout(0.3);
    const x = tf.tensor2d([1, -2], [1, 2]);
    expect(Array.from((model.predict(x) as tf.Tensor).dataSync())).toEqual([1, -2]);
  });
});
