/**
 * @file `deeptwist/runtime`: loads a packed file with its topology and runs the model, on the weights as they are compressed. ES module
 * for browsers and Node.js. This file declares all that is public, so that its declarations need no others.
 */
import { load } from './load.ts';

/** An input of a model. */
export interface ModelInput {
  readonly name: string;
  /** Sizes, the batch first; null is a size that the model leaves open. */
  readonly shape: readonly (number | null)[];
}

/** An output of a model. */
export interface ModelOutput {
  readonly name: string;
  /** Sizes, the batch first, which is null. Absent where they depend on a size that an input leaves open. */
  readonly shape?: readonly (number | null)[];
}

export interface Model {
  readonly inputs: readonly ModelInput[];
  readonly outputs: readonly ModelOutput[];
  /** Bytes: of the weights, as they are held; and of all memory, with what one input needs while it passes through the model. */
  readonly memory: { readonly weights: number; readonly total: number };
  /**
   * Runs the model forward. Recurrent layers begin each sample with a state of zeros, and keep that of the last sample for `step`.
   * @param inputs for each of {@link inputs} the numbers of one or several samples, row-major; words are numbers of rows. The batch
   * follows from the length; where an input leaves another size open (the time steps of a sequence), there is one sample
   * @returns for each of {@link outputs} its numbers, row-major. The arrays are used again by the next call: copy what is to be kept
   * @throws TypeError for inputs of a wrong length, RangeError for a word that an embedding does not have
   */
  predict(...inputs: readonly Float32Array[]): readonly Float32Array[];
  /**
   * Goes on with a sequence by one time step: recurrent layers continue from their state, which is that of the last `step` or
   * `predict`, or zeros after `reset`.
   * @param inputs for each of {@link inputs} the numbers of one time step of one sample
   * @throws Error for a model with a layer that needs the whole sequence
   */
  step(...inputs: readonly Float32Array[]): readonly Float32Array[];
  /** Sets the state of every recurrent layer to zeros. */
  reset(): void;
  /** Lets go of all memory; the model cannot be used any more. */
  dispose(): void;
}

/**
 * Loads a model.
 * @param source a packed file (docs/format.md) that holds its topology: its bytes, or where `fetch` finds it
 * @throws Error for a file that is damaged, of a newer layout, or of a model that has a layer which the runtime does not know
 */
export function loadModel(source: Uint8Array | ArrayBuffer | string | URL): Promise<Model> {
  return load(source);
}
