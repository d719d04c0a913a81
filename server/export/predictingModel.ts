/** @file A model of layers that predicts: compiled as in training, or by TensorFlow.js where an operation has no place in a graph. */
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { UnsupportedKernel } from '../compiler/import/kernel.ts';
import type { Predictor, StepBatch } from '../compiler/program.ts';
import { modelWeights } from '../models/modelWeights.ts';
import { UserError } from '../protocol/userError.ts';
import { matchInputs } from '../training/matchInputs.ts';
import { predictorOf, type ModelProgram } from '../training/modelProgram.ts';
import type { OpenedModel, Output } from './format.ts';
import { TensorflowModel, fixedBatchSize } from './tensorflowModel.ts';
import { TracedModel } from './tracedModel.ts';

/** A weight by name. */
export interface NamedWeight {
  readonly name: string;
  readonly value: Float32Array<ArrayBuffer>;
}

export class PredictingModel implements OpenedModel {
  readonly batchSize: number | undefined;
  readonly #model: tf.LayersModel;
  readonly #predictor: Predictor;
  readonly #weights: readonly NamedWeight[];
  readonly #directory: string;
  readonly #ownsModel: boolean;
  #engine: OpenedModel;

  private constructor(
    model: tf.LayersModel,
    predictor: Predictor,
    weights: readonly NamedWeight[],
    { directory, ownsModel }: { directory: string; ownsModel: boolean },
  ) {
    this.#model = model;
    this.#predictor = predictor;
    this.#weights = weights;
    this.#directory = directory;
    this.#ownsModel = ownsModel;
    this.batchSize = fixedBatchSize(model);
    this.#engine = new TracedModel(predictor, model.outputs.length, weights, this.batchSize);
  }

  /** The model of a training. @param parameters its weights, live; the variables of the model may hold others */
  static ofProgram(program: ModelProgram, parameters: readonly NamedWeight[]): PredictingModel {
    return new PredictingModel(program.model, program, parameters, { directory: '.', ownsModel: false });
  }

  /**
   * A model of a file, with its weights in its variables; it is disposed of when this is released.
   * @param path of the file, for messages
   * @param inputs samples that the model is to take
   * @throws UserError when it takes others
   */
  static ofFile(model: tf.LayersModel, inputs: Predictor['inputs'], path: string): PredictingModel {
    const predictor = filePredictor(model, inputs, path);
    const weights = predictor.weights.map(({ name, variable }) => ({
      name,
      value: Float32Array.from(variable.dataSync()),
    }));
    return new PredictingModel(model, predictor, weights, { directory: dirname(path), ownsModel: true });
  }

  get engine(): string {
    return this.#engine.engine;
  }

  resetStates(): void {
    this.#engine.resetStates();
  }

  async predict(size: number, inputs: StepBatch['inputs']): Promise<readonly Output[]> {
    try {
      return await this.#engine.predict(size, inputs);
    } catch (error) {
      if (this.#engine instanceof TensorflowModel || !hasNoPlace(error)) throw error;
    }
    const values = new Map(this.#weights.map(({ name, value }) => [name, value]));
    tf.tidy(() => {
      for (const { name, variable } of this.#predictor.weights)
        variable.assign(tf.tensor(values.get(name)!.slice(), variable.shape, variable.dtype));
    });
    this.#engine = await TensorflowModel.open(this.#model, this.#predictor, this.#directory);
    return this.#engine.predict(size, inputs);
  }

  async release(): Promise<void> {
    await this.#engine.release();
    if (this.#ownsModel) this.#model.dispose();
  }
}

function hasNoPlace(error: unknown): boolean {
  return error instanceof UnsupportedKernel || (error instanceof UserError && error.cause instanceof UnsupportedKernel);
}

/** The model is disposed of where it does not fit. @throws UserError when the model takes other samples */
export function filePredictor(model: tf.LayersModel, inputs: Predictor['inputs'], path: string): Predictor {
  const unfit = () => {
    const taken = model.inputs.map(({ shape }) => shape.slice(1));
    model.dispose();
    const list = (shapes: readonly (readonly (number | null)[])[]) =>
      shapes.map((shape) => `[${shape.map((size) => size ?? 'any').join(', ')}]`).join(' and ');
    return new UserError(
      `The model in ${path} takes ${list(taken)}, and a sample of the data is ${list(inputs.map(({ shape }) => shape))}.`,
      { remedy: 'Evaluate it with the run or the experiment that it is of.' },
    );
  };
  return predictorOf(model, modelWeights(model), matchInputs(model, { inputs }, unfit));
}
