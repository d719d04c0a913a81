/** @file What every compression method makes of the weights that an experiment names: units, which close over their settings. */
import type { PackedWeight } from '../../formats/packed/packedFile.ts';
import type { Compression, Method } from '../../protocol/experiment/schema.ts';
import type { CompressionSetting } from '../../protocol/run/events.ts';
import type { CompressedSize } from '../size.ts';
import type { MatchedWeight, NamedWeight } from '../targets/targets.ts';
import type { CustomDistortion } from './custom/custom.ts';

type CompressionBy = { [M in Method]: Extract<Compression, { method: M }> };
export type CompressionOf<M extends Method> = CompressionBy[M];
export type ParametersOf<M extends Method> = CompressionOf<M>['layers'][string];

/** State that a checkpoint must hold besides the weights, by key. */
export type CompressionState = Record<string, Float32Array | Uint8Array>;

/** The compressed form of a weight while it is trained; the weight itself holds the same numbers as floats. */
export type CompressedWeight =
  /** The zeros of the weight are the compression. */
  | { readonly form: 'sparse' }
  | QuantizedWeight
  | FactoredWeight
  /** What a user's function left, with the size that it told. */
  | { readonly form: 'custom'; readonly size: CompressedSize };

/** A quantized weight: row r, column c is `sum_i +-scales[r, i]`, with + where bit i of `codes[r, c]` is set. */
export interface QuantizedWeight {
  readonly form: 'binary-codes';
  readonly bits: number;
  /** [rows, bits], descending and non-negative in a row; one row where the matrix has one set of scales. */
  readonly scales: Float32Array;
  /** [rows, columns] of the matrix view; the tensor's own order where the matrix has one set of scales. */
  readonly codes: Uint8Array;
  /** The 2^bits values of the matrix, ascending, where it has one set of scales. */
  readonly levels?: readonly number[];
}

/** A weight of low rank: `left * right`, [rows, rank] and [rank, columns] of `storedMatrix`. */
export interface FactoredWeight {
  readonly form: 'factors';
  /** The same array in all weights that share a projection. */
  readonly left: Float32Array;
  readonly right: Float32Array;
  /** The next truncation can start from it; that of the recurrent weight in all that share its projection. */
  readonly basis: Float32Array;
}

/** What a method is told about the run, besides its own settings. */
export interface RunFacts {
  /** Length of the run, in training steps. */
  readonly steps: number;
  readonly seed: number;
  /** `distort` of the user's module, for the method that calls it. */
  readonly custom?: CustomDistortion | undefined;
}

/** Shapes of the factors of a unit: one left factor, a right factor for each of its weights. */
export interface FactorShapes {
  readonly left: readonly [rows: number, rank: number];
  readonly rights: readonly (readonly [rank: number, columns: number])[];
}

/**
 * Weights that are compressed together: one, or a recurrent kernel and the kernels that share its projection. Arrays of values have
 * one entry a weight, in the order of `targets` and of the weight's own tensor.
 */
export interface Unit {
  readonly targets: readonly MatchedWeight[];
  /** How the weights are compressed after a step, 1 to the length of the run. */
  settingAt(step: number): CompressionSetting;
  /**
   * Replaces values by their compressed form, in place.
   * @param remember true where later distortions may start from what this one finds
   * @returns the compressed form of each weight
   */
  distort(
    values: readonly Float32Array[],
    step: number,
    remember: boolean,
  ): readonly CompressedWeight[] | Promise<readonly CompressedWeight[]>;
  /** Measures what is left of each weight. @param compressed what {@link distort} returned last, if it was called */
  sizes(
    values: readonly Float32Array[],
    compressed: readonly (CompressedWeight | undefined)[],
  ): readonly CompressedSize[];
  /** What a file holds of each weight. @param compressed as for {@link sizes} */
  packed(
    values: readonly Float32Array[],
    compressed: readonly (CompressedWeight | undefined)[],
  ): readonly PackedWeight[];
  /** Number of entries of a weight that a distortion after this step makes zero; absent where a method makes none zero. */
  zerosAt?(step: number): number;
  /** The shapes of the factors that a distortion finds; absent where a method finds none. */
  readonly factors?: FactorShapes;
  /** What the next distortion depends on, for a checkpoint. */
  readonly state: CompressionState;
  /** Takes over what fits this unit, also from the state of a unit with other settings. */
  restore(state: CompressionState): void;
}

/** For units whose distortions depend on nothing but the weights. */
export const stateless = { state: {}, restore(): void {} };

/** A compression method: what it makes of the weights, and what size it will leave. */
export interface MethodRow<M extends Method> {
  /** Groups the weights that `compression.layers` names. @throws SettingError for settings that do not fit the weights */
  createUnits(compression: CompressionOf<M>, weights: readonly NamedWeight[], run: RunFacts): Unit[];
  /** The size that each weight is expected to have, told from shapes alone. */
  predictSizes(targets: readonly PredictedWeight<M>[]): CompressedSize[];
}

/** A weight of which only the shape is known, and how it will be compressed. */
export interface PredictedWeight<M extends Method> {
  readonly weight: NamedWeight;
  readonly parameters: ParametersOf<M>;
}
