/** @file What a row of the table of methods says: the facts that need neither weights nor a run. */
import type { Summary } from '../../run/events.ts';
import type { SettingProblem } from '../problem.ts';

/** The sides of the matrix that a weight is compressed as. */
export interface MatrixSides {
  readonly rows: number;
  readonly columns: number;
}

/** Numbers and bytes of weights, before and after their compression. */
export type KeptSize = Pick<Summary, 'weights' | 'weightsKept' | 'weightRatio' | 'bytes' | 'bytesKept' | 'byteRatio'>;

/** A setting of a layer that says how far its weights are compressed. In every method a name means the same parameter. */
export interface ParameterFacts {
  readonly unit: 'fraction' | 'count' | 'strength';
  /** A value in words, with `{0}` for its number. The texts are the keys of their translations, as those of `choice` are. */
  readonly texts: {
    /** `pruning rate {0}` */
    readonly full: string;
    /** Beside code and in tables: `rate {0}` */
    readonly short: string;
    /** For the value 1, where the number changes the word: `1 bit` */
    readonly one?: string;
  };
  /** Comment beside the parameters of a new experiment. */
  readonly comment: string;
  /** True where it says how many weights become 0: then the zeros of a weight tell how far it is compressed. */
  readonly setsZeros: boolean;
  /** The values with which the model gets smaller. */
  readonly smallerModel: 'greater values' | 'smaller values';
  /** The values that it can have, from `lowest` to `highest`, `step` apart. @param shortestSide of the weight's matrix */
  range(shortestSide: number): { readonly lowest: number; readonly highest: number; readonly step: number };
  /** The value of a new experiment. @param shortestSide of the weight's matrix, where it is known */
  first(shortestSide?: number): number;
  /** Values that completion proposes for weights, in the order in which it lists them. */
  proposed(matrices: readonly MatrixSides[]): readonly number[];
  /**
   * The value that leaves 1 of `ratio` numbers of the weights, all together; undefined where the sides of the matrices are
   * needed and none is given. Absent for a parameter that leaves as many numbers as there are.
   */
  forRatio?(ratio: number, matrices: readonly MatrixSides[]): number | undefined;
  /** Another setting of a layer, by which the parameter can have its value without being written. */
  readonly fixedBy?: string;
  /** What it leaves of a layer, for the end of the line that sets it; absent where only training tells. */
  leaves?(size: KeptSize): string;
}

export interface MethodFacts {
  /** What it does to weights, in a few words. */
  readonly title: string;
  /** For a person who chooses a method for a new experiment; absent for one that needs code to be written. */
  readonly choice?: {
    readonly label: string;
    readonly detail: string;
    /** First comment of the new experiment, which distorts its weights every few steps. */
    readonly comment: string;
  };
  /** Parameters of a layer that say how far it is compressed, by name. The first is the one that a size is aimed at by. */
  readonly parameters: Readonly<Record<string, ParameterFacts>>;
  /** Settings of `compression` that only this method has and needs, with their first values. */
  readonly required: Readonly<Record<string, string>>;
  /**
   * What is left of a weight. `zeros`: most of its numbers are 0, and the size of a file depends on where they are; `codes`:
   * a code for each number; `factors`: two thin matrices. No size is predicted of the others: `low rank`, two thin matrices, `zero units`,
   * whole output units of zeros, both as many as training finds; `unknown`: only the user's function knows.
   */
  readonly leaves: 'zeros' | 'codes' | 'factors' | 'low rank' | 'zero units' | 'unknown';
  /**
   * What an earlier compression of the list may have left of a weight, so that this one goes on with it: with the numbers that are
   * not 0 (pruning with all, whose zeros are among its own), or with each of the factors. Empty where it can only be the first of a weight.
   */
  readonly follows: readonly MethodFacts['leaves'][];
  /** Distortion step S_D of a new experiment; `text` is for language models. */
  readonly distortEvery: {
    readonly text: number;
    readonly others: number;
    /** The unit of the method's `distortEvery` where a file gives none; absent for training steps. */
    readonly unit?: 'epochs';
  };
  /** The parameter that rises during the schedule, which then has an end; absent where a schedule only begins. */
  readonly rises?: string;
  /** True where singular values are recorded at every observation; else at the start and at the end of a run. */
  readonly spectrumAtEachObservation: boolean;
  /** True where weights become a few levels, which a histogram marks. */
  readonly hasLevels: boolean;
  /** The settings, and the parameters of a layer, that say which weights become zero; absent where none do. */
  readonly chooses?: { readonly settings: readonly string[]; readonly parameters: readonly string[] };
  /** Tells whether a layer is compressed by a threshold, by its settings as they are written; absent where none is. */
  hasThreshold?(layer: unknown): boolean;
  /** The parameters that a run keeps from its start: by which weights are compressed together, or in another form; absent where it keeps none. */
  readonly keptParameters?: readonly string[];
  /** Settings that are each right and exclude one another. @param settings of the compression, before validation; paths start from it */
  combinationProblems?(settings: unknown): SettingProblem[];
  /**
   * Its distortions are proximal steps: they take a threshold off something, which is the learning rate times a parameter of the layer
   * (`"threshold": "lr*NAME"`), or the parameter itself (`"threshold": "NAME"`). Absent for methods that replace weights.
   */
  readonly proximal?: {
    /** The parameter. */
    readonly strength: string;
    /** What a threshold does, for the end of the line that sets the strength: `cuts 0.05 from each singular value`. */
    cuts(threshold: number, parameters: Readonly<Record<string, unknown>>): string;
  };
  /** Why it cannot take some weights, by the weight's name within its layer; absent where it takes every matrix. */
  readonly refuses?: Readonly<Record<string, string>>;
  /** The parameters that a user can change while a run trains, in words. */
  readonly changeable: readonly string[];
}
