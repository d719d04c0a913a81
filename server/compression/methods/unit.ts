/** @file What every compression method makes of the weights that an experiment names: units, which close over their settings. */
import type { PackedWeight } from '../../formats/packed/packedFile.ts';
import type { Compression, Method } from '../../protocol/experiment/schema.ts';
import type { CompressionSetting, EventOf } from '../../protocol/run/events.ts';
import type { CompressedSize } from '../size.ts';
import type { MatrixView } from '../targets/matrixView.ts';
import type { MatchedWeight, NamedWeight } from '../targets/targets.ts';
import type { CustomDistortion } from './custom/custom.ts';
import { commonLevels, type LevelForm } from './quantize/levelForm.ts';

type CompressionBy = { [M in Method]: Extract<Compression, { method: M }> };
export type CompressionOf<M extends Method> = CompressionBy[M];
export type ParametersOf<M extends Method> = CompressionOf<M>['layers'][string];

/** State that a checkpoint must hold besides the weights, by key. */
export type CompressionState = Record<string, Float32Array | Uint8Array>;

/** The compressed form of a weight while it is trained; the weight itself holds the same numbers as floats. */
export type CompressedWeight =
  | SparseWeight
  | QuantizedWeight
  | LevelForm
  | FactoredWeight
  /** What a user's function left, with the size that it told. */
  | { readonly form: 'custom'; readonly size: CompressedSize };

/** A pruned weight: its zeros are the compression. */
export interface SparseWeight {
  readonly form: 'sparse';
  /** The form in which a later compression left the numbers that are kept; absent where they are floats. */
  readonly kept?: {
    /** Their indices in the tensor, ascending: a number can be 0 in the form that it has now. */
    readonly positions: Uint32Array;
    readonly numbers: CompressedWeight;
  };
}

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
  /**
   * The next truncation can start from it; that of the recurrent weight in all that share its projection. Absent where each
   * distortion decomposes the weight anew.
   */
  readonly basis?: Float32Array | undefined;
  /** The forms in which a later compression left the factors; absent where they are floats. */
  readonly parts?: { readonly left: CompressedWeight; readonly right: CompressedWeight };
}

/** The few values that all numbers of a weight have, ascending, where its form has such. */
export function levelsOf(compressed: CompressedWeight): readonly number[] | undefined {
  if (compressed.form === 'binary-codes') return compressed.levels;
  if (compressed.form === 'levels') return commonLevels(compressed);
  const levels = compressed.form === 'sparse' && compressed.kept && levelsOf(compressed.kept.numbers);
  return levels ? [...new Set([...levels, 0])].sort((a, b) => a - b) : undefined;
}

/** What a method is told about the run, besides its own settings. */
export interface RunFacts {
  /** Length of the run, in training steps. */
  readonly steps: number;
  readonly seed: number;
  /** `distort` of the user's module, for the method that calls it. */
  readonly custom?: CustomDistortion | undefined;
}

/** A moment at which weights are distorted, and what that may depend on besides the weights. */
export interface Distortion {
  /** Training steps done, 1 to the length of the run. */
  readonly step: number;
  /** The learning rate of that step. */
  readonly learningRate: number;
  /** True where later distortions may start from what this one finds. */
  readonly remember: boolean;
}

/** How one tensor is distorted: a weight, or what an earlier compression left of one. */
export interface TensorDistortion {
  /**
   * True where zeros that are there before count among those that it makes, so that it gets a tensor of zeros as a whole: pruning, whose
   * rate and pattern are those of all numbers.
   */
  readonly countsZeros?: true;
  /** Replaces values by their compressed form, in place. */
  distort(values: Float32Array, view: MatrixView, at: Distortion): CompressedWeight;
  /** Measures what is left of the tensor. @param compressed what {@link distort} returned last, if it was called */
  size(values: Float32Array, view: MatrixView, compressed: CompressedWeight | undefined): CompressedSize;
  /** What a file holds of the tensor. @param compressed as for {@link size} */
  packed(
    shape: readonly number[],
    values: Float32Array,
    view: MatrixView,
    compressed: CompressedWeight | undefined,
  ): PackedWeight;
}

/** The quantization points of a weight. */
export interface FittedPoints {
  /** Number of points by the settings. */
  readonly usual: number;
  /** Number of points at most, where gradients decide. */
  readonly most: number;
  /** Number of points that a distortion fits. */
  count: number;
  /** Points that a distortion takes in the place of those that it would fit, ascending. */
  trained: Float32Array | undefined;
}

/** A weight whose gradient was taken at its compressed form. */
export interface PulledBack {
  /** Changed in place. */
  readonly gradient: Float32Array;
  readonly full: Float32Array;
  readonly compressed: Float32Array;
}

/** What a distortion found out about a weight besides its form, as the log of a run has it. */
export type Measured = Pick<EventOf<'distortion'>['weights'][number], 'nuclearNorm' | 'units'>;

/** Shapes of the factors of a unit: one left factor, a right factor for each of its weights. */
export interface FactorShapes {
  readonly left: readonly [rows: number, rank: number];
  readonly rights: readonly (readonly [rank: number, columns: number])[];
}

/**
 * Weights that are compressed together: one, several that are pruned by one threshold, or a recurrent kernel and the kernels that
 * share its projection. Arrays of values have
 * one entry a weight, in the order of `targets` and of the weight's own tensor.
 */
export interface Unit {
  readonly targets: readonly MatchedWeight[];
  /** Other weights that a distortion changes with them, and that stay dense: `distort` gets their values after those of the targets. */
  readonly companions?: readonly NamedWeight[];
  /** How one of its weights is compressed after a step, 1 to the length of the run. @param weight its name */
  settingAt(step: number, weight: string): CompressionSetting;
  /** Replaces values by their compressed form, in place. @returns the compressed form of each weight */
  distort(
    values: readonly Float32Array[],
    at: Distortion,
  ): readonly CompressedWeight[] | Promise<readonly CompressedWeight[]>;
  /**
   * Replaces values by what a file holds of them, in place, without compressing them any further: for methods whose distortions take
   * something away each time. It follows the last distortion of a run, and stands for a distortion where a later compression goes on
   * with what this one has left. Absent where a second distortion leaves what the first one left.
   * @returns the form of each weight; undefined for one that is stored dense
   */
  settle?(
    values: readonly Float32Array[],
  ): readonly (CompressedWeight | undefined)[] | Promise<readonly (CompressedWeight | undefined)[]>;
  /** This unit where earlier ones distort some of its weights before it; absent where it goes on with the parts that they leave. */
  after?(earlier: readonly Unit[]): Unit;
  /** What the last distortion found out about each weight; absent where its form tells all. */
  readonly measured?: readonly Measured[] | undefined;
  /** What a distortion takes off the singular values of its weights; absent where a method does not. */
  thresholdAt?(learningRate: number): number;
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
  /** Most entries of all its weights that a distortion after this step makes zero; absent where a method makes none zero. */
  zerosAt?(step: number): number;
  /** Marks by 1 the entries of each weight that a distortion after this step does not make zero; absent where a method makes none zero. */
  kept?(values: readonly Float32Array[], step: number): readonly Uint8Array[];
  /** The same with a hysteresis: entries near the threshold stay as they were marked. Absent where there is no threshold. */
  readonly splice?: (
    values: readonly Float32Array[],
    step: number,
    before: readonly Uint8Array[],
  ) => readonly Uint8Array[];
  /**
   * Marks by 1 the entries that stay when the least part of those that would stay is dropped and as many are taken instead where gradients
   * are greatest; absent where there is no threshold.
   * @param part 0 to 1
   */
  readonly regrow?: (
    values: readonly Float32Array[],
    gradients: readonly Float32Array[],
    step: number,
    part: number,
  ) => readonly Uint8Array[];
  /**
   * Takes note of a training step, with the gradients of the weights as they are trained; absent where distortions do not depend on
   * gradients.
   */
  readonly observe?: (values: readonly Float32Array[], gradients: readonly Float32Array[]) => void;
  /** How a part of a weight that an earlier compression left is distorted; absent where a method follows none. */
  readonly tensor?: TensorDistortion;
  /** The points that a distortion fits to each weight, which may be trained in its place; absent where a method fits none. */
  readonly points?: readonly FittedPoints[];
  /**
   * Adds to the gradient at a compressed weight what makes it that of the weight in full precision; absent where the one is taken for
   * the other.
   */
  readonly pullBack?: (weight: PulledBack, form: CompressedWeight) => void;
  /** The shapes of the factors that a distortion finds; absent where a method finds none. */
  readonly factors?: FactorShapes;
  /** What the next distortion depends on, for a checkpoint. */
  readonly state: CompressionState;
  /** Takes over what fits this unit, also from the state of a unit with other settings. */
  restore(state: CompressionState): void;
}

/** The weights whose values a distortion of the unit gets, in its order. */
export function weightsOf({ targets, companions = [] }: Unit): NamedWeight[] {
  return [...targets.map(({ weight }) => weight), ...companions];
}

/** For units whose distortions depend on nothing but the weights. */
export const stateless = { state: {}, restore(): void {} };

/** The members of a unit of one weight that is distorted by itself. */
export function distortsAlone(
  { weight, view }: MatchedWeight,
  tensor: TensorDistortion,
): Pick<Unit, 'distort' | 'sizes' | 'packed' | 'tensor'> {
  return {
    tensor,
    distort: ([values], at) => [tensor.distort(values, view, at)],
    sizes: ([values], [compressed]) => [tensor.size(values, view, compressed)],
    packed: ([values], [compressed]) => [tensor.packed(weight.shape, values, view, compressed)],
  };
}

/** A compression method: what it makes of the weights, and what size it will leave. */
export interface MethodRow<M extends Method> {
  /** Groups the weights that `compression.layers` names. @throws SettingError for settings that do not fit the weights */
  createUnits(compression: CompressionOf<M>, weights: readonly NamedWeight[], run: RunFacts): Unit[];
  /** The size that each weight is expected to have, told from shapes alone. */
  predictSizes(targets: readonly PredictedWeight<M>[]): PredictedSize[];
}

/** The size that a weight is expected to have. */
export interface PredictedSize extends CompressedSize {
  /** What a further compression goes on with, in place of the weight; absent where none can. */
  readonly left?: {
    readonly tensors: readonly NamedWeight[];
    /** Bits that the weight takes besides these tensors. */
    readonly otherBits: number;
  };
}

/** A weight of which only the shape is known, and how it will be compressed. */
export interface PredictedWeight<M extends Method> {
  readonly weight: NamedWeight;
  readonly parameters: ParametersOf<M>;
}
