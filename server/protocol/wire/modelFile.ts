/**
 * @file What the extension and the page of a model's file say to each other. The page gets all tensors at once, and asks for what their
 * numbers come to; tensors are called by their place in the file. Neither side trusts the other: what arrives is checked.
 */
import type { Tensor, TensorHistogram, TensorStatistics } from '../model/tensor.ts';
import type { FromPage } from './page.ts';

export interface ShownTensor extends Tensor {
  /** The matrix whose singular values can be computed. */
  readonly matrix?: { readonly rows: number; readonly columns: number };
}

export interface ShownFile {
  readonly name: string;
  /** In words: `safetensors`. */
  readonly format: string;
  readonly bytes: number;
  readonly tensors: readonly ShownTensor[];
  /** What the file says of itself. */
  readonly metadata: readonly (readonly [key: string, value: string])[];
}

/** What is asked of the file. It replaces what was asked before: what is no longer wanted is not read any further. */
export interface WantedNumbers {
  /** The tensor whose histogram comes first. */
  readonly histogram?: number | undefined;
  /** Tensors whose statistics are wanted, the first first. */
  readonly statistics: readonly number[];
}

/** What is found in the file; the thread that reads it says the same. */
export type FoundInFile =
  /** Replaces all that is known: the file was read, or read again. */
  | { readonly type: 'file'; readonly file: ShownFile }
  | { readonly type: 'statistics'; readonly tensor: number; readonly statistics: TensorStatistics }
  | { readonly type: 'histogram'; readonly tensor: number; readonly histogram: TensorHistogram }
  /** What keeps a tensor from being read. */
  | {
      readonly type: 'tensorProblem';
      readonly tensor: number;
      readonly message: string;
      readonly remedy?: string | undefined;
    }
  /** What keeps the file from being shown, and what can be done. */
  | { readonly type: 'problem'; readonly message: string; readonly remedy?: string | undefined };

export type ToModelFilePage =
  | FoundInFile
  | { readonly type: 'spectrum'; readonly tensor: number; readonly singularValues: Float64Array }
  /** The spectrum was not computed. */
  | { readonly type: 'spectrumProblem'; readonly tensor: number; readonly message: string };

export type FromModelFilePage =
  /** The page is loaded and has nothing; asks for `file`. */
  | { readonly type: 'ready' }
  | ({ readonly type: 'wanted' } & WantedNumbers)
  /** In place of the one that is being computed. Without a tensor: none is wanted. */
  | { readonly type: 'computeSpectrum'; readonly tensor?: number | undefined }
  | FromPage;
