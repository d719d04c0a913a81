/** @file What a model will be trained on: sizes that it can be made for. */

/** The part of a data set, and of training, that shapes a model. */
export interface ModelSamples {
  readonly batchSize: number;
  /** One for each input of the model. */
  readonly inputs: readonly { readonly shape: readonly number[] }[];
  /** Words of a text; absent for other data. */
  readonly vocabulary?: { readonly words: readonly string[] };
  /** Names of the classes, where the data have names. */
  readonly classes?: readonly string[];
}

/** What a user's `createModel` receives. */
export interface ModelContext {
  /** Samples of every batch, in training and in evaluation of a text. */
  batchSize: number;
  /** Shape of a sample, without the axis of the batch: of a text, `[time steps]`. */
  inputShape: number[];
  /** Words that a text is made of. */
  vocabularySize?: number;
  /** Number of classes, of images in folders. */
  classes?: number;
}

export function contextOf({ batchSize, inputs, vocabulary, classes }: ModelSamples): ModelContext {
  return {
    batchSize,
    inputShape: [...inputs[0].shape],
    ...(vocabulary && { vocabularySize: vocabulary.words.length }),
    ...(classes && { classes: classes.length }),
  };
}
