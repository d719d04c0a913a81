/** @file Samples of the data as the inputs of a model. */
import type * as tf from '@tensorflow/tfjs';
import type { SampleType } from '../compiler/program.ts';
import { channelsFirstShape } from '../models/imageLayout.ts';
import { elementCount, shapeText } from '../protocol/shape.ts';

/**
 * What each input of a model takes of a sample. Where a sample has as many elements as the input takes but another shape (an image, a
 * vector), the input's is used; images with channels last keep their shape for an input with channels first, and are transposed where
 * the model is called.
 * @param unfit the error for a model that does not take the samples, of the reason in words
 */
export function matchInputs(
  model: tf.LayersModel,
  samples: { readonly inputs: readonly SampleType[] },
  unfit: (reason: string) => Error,
): SampleType[] {
  if (model.inputs.length !== samples.inputs.length)
    throw unfit(`it has ${model.inputs.length} inputs and a sample of the data has ${samples.inputs.length}`);
  return samples.inputs.map(({ shape, dtype }, index) => {
    const wanted = model.inputs[index].shape.slice(1);
    if (channelsFirstShape(wanted, shape)) return { shape, dtype };
    const known = wanted.filter((size) => size !== null);
    if (known.length === wanted.length) {
      if (elementCount(known) === elementCount(shape)) return { shape: known, dtype };
    } else if (wanted.length === shape.length && wanted.every((size, axis) => size === null || size === shape[axis])) {
      return { shape, dtype };
    }
    const which = model.inputs.length === 1 ? 'the input' : `input ${index + 1}`;
    throw unfit(`${which} takes ${shapeText(wanted)}, a sample of the data is ${shapeText(shape)}`);
  });
}

/** Samples of every batch, where the model fixes their number: one with a state from batch to batch does. */
export function fixedBatchSize(model: tf.LayersModel): number | undefined {
  return model.inputs.flatMap(({ shape }) => shape[0] ?? []).at(0);
}
