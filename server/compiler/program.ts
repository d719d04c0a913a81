/** @file What the executors run: a training step and an evaluation, as plain TensorFlow.js functions of a batch. */
import type * as tf from '@tensorflow/tfjs';
import type { FrozenModel } from './frozenModel.ts';

/** A weight of the model. `variable` holds the initial value; afterwards the {@link ParameterSet} does. */
export interface ProgramWeight {
  /** Unique, stable: 'fc1/kernel'. */
  readonly name: string;
  readonly trainable: boolean;
  readonly variable: tf.Variable;
}

/** Shape of one sample, without the batch axis. */
export interface SampleType {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
}

export interface Program {
  readonly weights: readonly ProgramWeight[];
  /** The model's layers, to name them in messages and to find those that carry a state from batch to batch. */
  readonly layers: readonly tf.layers.Layer[];
  /** A model that the loss uses beside the trained one. A step and an evaluation leave its weights as they are. */
  readonly frozen?: FrozenModel;
  readonly inputs: readonly SampleType[];
  readonly targets: readonly SampleType[];
  /** Names of the values that `evaluate` returns behind the loss. */
  readonly metrics: readonly string[];
  /** Scalar mean loss of a batch in training mode (dropout, batch statistics), regularizers included. */
  loss(inputs: tf.Tensor[], targets: tf.Tensor[]): tf.Scalar;
  /**
   * Mean loss of a batch in inference mode without regularizers, and the mean of each metric. Where there are fewer targets
   * than inputs, the samples behind them are padding and count for nothing.
   */
  evaluate(inputs: tf.Tensor[], targets: tf.Tensor[]): { loss: tf.Scalar; metrics: tf.Tensor[] };
}

export interface StepBatch {
  readonly size: number;
  /** Number of samples in `targets`, where an evaluation is of the first of the batch only and the rest fill it up. */
  readonly samples?: number;
  /** One array a model input, samples in row-major order. */
  readonly inputs: readonly (Float32Array | Int32Array)[];
  readonly targets: readonly (Float32Array | Int32Array)[];
}

export interface Evaluation {
  /** Mean over the batch. */
  readonly loss: number;
  readonly metrics: readonly number[];
}

/** Runs a {@link Program} on the weights of a {@link ParameterSet}. */
export interface Executor {
  /** For messages: what runs the steps, e.g. 'ONNX Runtime, 2 threads'. */
  readonly description: string;
  /**
   * One forward and backward pass: gradients are written in place, non-trainable weights (moving averages) updated.
   * @param step number of this step, from 0; with the seed it determines all random numbers drawn
   * @returns the mean loss of the batch
   */
  step(batch: StepBatch, step: number): Promise<number>;
  evaluate(batch: StepBatch): Promise<Evaluation>;
  /** States of stateful layers, for checkpoints: of the training stream, by name. */
  readonly states: ReadonlyMap<string, Float32Array>;
  /** Sets the states of stateful layers to zero. */
  resetStates(stream: 'training' | 'evaluation'): void;
  dispose(): Promise<void>;
}
