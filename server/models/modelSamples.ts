/** @file What a model will be trained on: sizes that it can be made for. */

/** The part of a data set, and of training, that shapes a model. */
export interface ModelSamples {
  readonly batchSize: number;
  /** One for each input of the model; in another order, maybe, where they have names. */
  readonly inputs: readonly { readonly name?: string; readonly shape: readonly number[] }[];
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
  /** Shapes of all inputs of a sample by their names, where the data have names. */
  inputShapes?: Record<string, number[]>;
  /** Words that a text is made of. */
  vocabularySize?: number;
  /** Number of classes, of images in folders. */
  classes?: number;
}

export function contextOf({ batchSize, inputs, vocabulary, classes }: ModelSamples): ModelContext {
  const named = inputs.flatMap(({ name, shape }): [string, number[]][] =>
    name === undefined ? [] : [[name, [...shape]]],
  );
  return {
    batchSize,
    inputShape: [...inputs[0].shape],
    ...(named.length > 0 && { inputShapes: Object.fromEntries(named) }),
    ...(vocabulary && { vocabularySize: vocabulary.words.length }),
    ...(classes && { classes: classes.length }),
  };
}
