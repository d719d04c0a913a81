/** @file What the executors run: a training step and an evaluation, as plain TensorFlow.js functions of a batch. */
import type * as tf from '@tensorflow/tfjs';
import type { Device } from './device.ts';

/** A weight of the model. `variable` holds the initial value; afterwards the {@link ParameterSet} does. */
export interface ProgramWeight {
  /** Unique, stable: 'fc1/kernel'. */
  readonly name: string;
  readonly trainable: boolean;
  readonly variable: tf.Variable;
}

/** A weight that a step reads; `trainable` of a layer or model counts for nothing here. */
export type FrozenWeight = Pick<ProgramWeight, 'name' | 'variable'>;

/**
 * A second model, which is never trained: its outputs are part of the loss, as a teacher's are. Its weights are a group of their
 * own, so that what trains, saves or reports the weights of the program's model never meets them.
 */
export interface FrozenModel {
  /** Their names are unique among themselves; weights of the program's model may have the same ones. */
  readonly weights: readonly FrozenWeight[];
  readonly layers: readonly tf.layers.Layer[];
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
  /** Mean loss of a batch in training mode (dropout, batch statistics), regularizers included; with its parts where it has several. */
  loss(inputs: tf.Tensor[], targets: tf.Tensor[]): tf.Scalar | LossWithParts;
  /**
   * Mean loss of a batch in inference mode without regularizers, and the mean of each metric. Where there are fewer targets
   * than inputs, the samples behind them are padding and count for nothing.
   */
  evaluate(inputs: tf.Tensor[], targets: tf.Tensor[]): { loss: tf.Scalar; metrics: tf.Tensor[] };
}

/** A model without a loss: what it computes of a batch in inference mode. */
export interface Predictor extends Pick<Program, 'weights' | 'layers' | 'inputs'> {
  /** @returns the model's outputs */
  predict(inputs: tf.Tensor[]): tf.Tensor[];
}

/** A loss that is a sum. */
export interface LossWithParts {
  readonly total: tf.Scalar;
  /** What it is the sum of, by name: 'data', 'regularization'. */
  readonly parts: Readonly<Record<string, tf.Scalar>>;
  /** Fractions of the batch that are told beside it, by name: 'asked'. */
  readonly shares?: Readonly<Record<string, tf.Scalar>>;
}

/** The form with parts of what a {@link Program.loss} returned. */
export function withParts(loss: tf.Scalar | LossWithParts): Required<LossWithParts> {
  return 'total' in loss ? { shares: {}, ...loss } : { total: loss, parts: {}, shares: {} };
}

export interface StepBatch {
  readonly size: number;
  /** Number of samples in `targets`, where an evaluation is of the first of the batch only and the rest fill it up. */
  readonly samples?: number;
  /** One array a model input, samples in row-major order. */
  readonly inputs: readonly (Float32Array | Int32Array)[];
  readonly targets: readonly (Float32Array | Int32Array)[];
}

export interface StepLoss {
  /** Mean over the batch. */
  readonly loss: number;
  /** Its parts by name, in the same unit: they add up to it. Empty where the program names none. */
  readonly parts: Readonly<Record<string, number>>;
  /** Fractions of the batch, by name. Empty where the program tells none. */
  readonly shares: Readonly<Record<string, number>>;
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
  readonly device: Device;
  /**
   * One forward and backward pass: gradients are written in place, non-trainable weights (moving averages) updated.
   * @param step number of this step, from 0; with the seed it determines all random numbers drawn
   */
  step(batch: StepBatch, step: number): Promise<StepLoss>;
  evaluate(batch: StepBatch): Promise<Evaluation>;
  /**
   * Brings weights and optimizer state to the host, where they may be read and changed until the next step or evaluation. To be called
   * before whatever else reads or changes them; they may be on a device.
   */
  claimWeights(): Promise<void>;
  /** States of stateful layers, for checkpoints: of the training stream, by name. */
  readonly states: ReadonlyMap<string, Float32Array>;
  /** Sets the states of stateful layers to zero. */
  resetStates(stream: 'training' | 'evaluation'): void;
  dispose(): Promise<void>;
}
