/** @file What is found out about how sensitive the layers of a model are to compression. */
import type { Method } from '../experiment/schema.ts';

/** Names of the splits of a data set that a model can be evaluated on. */
export const splitNames = ['validation', 'train', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

/** A weight that was compressed alone. */
export interface ScannedWeight {
  /** `fc1/kernel` */
  readonly name: string;
  /** What names it in `compression.layers`: its layer where that has no other matrix, else its own name. */
  readonly key: string;
  readonly shape: readonly number[];
  /** How many numbers it has. */
  readonly weights: number;
  /** Its size as 32-bit floats. */
  readonly bytes: number;
}

/** One weight at one setting, all others as they are. */
export interface SensitivityCell {
  /** Name of the weight. */
  readonly weight: string;
  readonly method: Method;
  /** The parameter that is varied: `rate`, `bits`, `rank`. */
  readonly parameter: string;
  /** Its value. */
  readonly setting: number;
  /** The metric of the model; null where it is not finite. */
  readonly value: number | null;
  readonly loss: number | null;
  /** By how much the metric is worse than that of the model as it is, in the metric's unit; negative where it is better, null where it or the loss is not finite. */
  readonly drop: number | null;
  /** Bytes that the weight takes in its compressed form. */
  readonly bytes: number;
  /** The part of the weight's energy that is taken away: ||W - compressed W||^2 / ||W||^2 in the Frobenius norm. */
  readonly error: number;
}

/** Settings for all layers together, within an allowed drop. */
export interface SensitivitySuggestion {
  readonly maxDrop: number;
  /** The layers that are compressed; the others are too sensitive for every setting that was tried. */
  readonly layers: readonly (Pick<SensitivityCell, 'weight' | 'method' | 'parameter' | 'setting' | 'bytes'> & {
    readonly key: string;
    /** By itself. */
    readonly drop: number;
  })[];
  /** The drops of the layers, each by itself, added up. */
  readonly sumOfDrops: number;
  /** The measured drop of all together, first of the strongest setting of each layer, then after each setting that was eased. */
  readonly drops: readonly (number | null)[];
  /** The metric of all together. */
  readonly value: number;
  /** The drop of all together: the last of {@link drops}. */
  readonly drop: number;
  /** Bytes of the whole model with these settings. */
  readonly bytes: number;
  /** `compression` for the experiment file; absent where no layer can be compressed. */
  readonly compression?: Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[] | undefined;
}

export interface SensitivityReport {
  /** The run that the weights are of; absent for an experiment's own. */
  readonly run?: string | undefined;
  /** Path of the experiment file. */
  readonly experiment: string;
  /** `final`: of a finished run; `checkpoint`: as they were trained so far; `start`: those that the experiment begins with. */
  readonly weightsAre: 'final' | 'checkpoint' | 'start';
  /** Steps that were done, for a checkpoint. */
  readonly step?: number | undefined;
  readonly split: SplitName;
  /** Samples that each setting was evaluated on. */
  readonly samples: number;
  readonly metric: string;
  /** The metric of the model as it is. */
  readonly value: number;
  readonly loss: number;
  /** Bytes of all weights as 32-bit floats. */
  readonly bytes: number;
  readonly weights: readonly ScannedWeight[];
  /** By weight in the model's order, then by method, from the weakest setting to the strongest. */
  readonly cells: readonly SensitivityCell[];
  readonly suggestion?: SensitivitySuggestion | undefined;
  /** Evaluations of the whole split or of its samples that were done; the others were known from an earlier call. */
  readonly evaluations: number;
  readonly warnings: readonly string[];
}

/** A drop to begin with, where nothing is known of what a user allows: half a percent of a metric, in one digit. */
export function exampleDrop(value: number): number {
  return Number((0.005 * Math.abs(value)).toPrecision(1));
}
