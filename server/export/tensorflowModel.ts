/** @file A model of layers that TensorFlow.js runs, to predict. */
import * as tf from '@tensorflow/tfjs';
import { chooseEagerBackend } from '../compiler/eagerBackend.ts';
import type { Predictor, StepBatch } from '../compiler/program.ts';
import { elementCount } from '../protocol/shape.ts';
import type { OpenedModel, Output } from './format.ts';

export class TensorflowModel implements OpenedModel {
  readonly engine = 'TensorFlow.js';
  readonly batchSize: number | undefined;
  readonly #model: tf.LayersModel;
  readonly #predictor: Predictor;
  readonly #backend: string;
  readonly #ownsModel: boolean;

  private constructor(model: tf.LayersModel, predictor: Predictor, backend: string, ownsModel = false) {
    this.#model = model;
    this.#predictor = predictor;
    this.#backend = backend;
    this.#ownsModel = ownsModel;
    this.batchSize = fixedBatchSize(model);
  }

  /**
   * @param directory where `@tensorflow/tfjs-node` may be installed, which is faster
   * @param options.ownsModel true to dispose of the model when this is released
   */
  static async open(
    model: tf.LayersModel,
    predictor: Predictor,
    directory: string,
    { ownsModel = false } = {},
  ): Promise<TensorflowModel> {
    const size = fixedBatchSize(model) ?? 1;
    const zeros = predictor.inputs.map(({ shape }) => new Float32Array(size * elementCount(shape)));
    const backend = await chooseEagerBackend(directory, async (candidate) => {
      await new TensorflowModel(model, predictor, candidate).predict(size, zeros);
    });
    model.resetStates();
    return new TensorflowModel(model, predictor, backend, ownsModel);
  }

  resetStates(): void {
    this.#model.resetStates();
  }

  async predict(size: number, inputs: StepBatch['inputs']): Promise<Output[]> {
    await tf.setBackend(this.#backend);
    const outputs = tf.tidy(() =>
      this.#predictor.predict(
        inputs.map((values, i) => {
          const { shape, dtype } = this.#predictor.inputs[i];
          return tf.tensor(values.slice(), [size, ...shape], dtype);
        }),
      ),
    );
    const results = outputs.map((output) => ({
      values: Float32Array.from(output.dataSync()),
      shape: output.shape,
    }));
    tf.dispose(outputs);
    return results;
  }

  release(): Promise<void> {
    if (this.#ownsModel) this.#model.dispose();
    return Promise.resolve();
  }
}

/** Samples of each batch, where the model fixes it. */
export function fixedBatchSize({ inputs }: tf.LayersModel): number | undefined {
  return inputs.flatMap(({ shape }) => shape[0] ?? [])[0];
}
