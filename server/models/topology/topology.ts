/** @file What is known of the units of a model: which entries of which weights are theirs, and which entries read them. */
import type { KernelAxes } from './connections.ts';
import type { Constants, Weights } from './constants.ts';
import type { UnitGroups, Units } from './units.ts';

/** Sizes of a tensor between layers; null where the model leaves one open. */
export type OpenShape = readonly (number | null)[];

/** A tensor between layers. */
export interface Signal {
  readonly shape: OpenShape;
  /** The unit at each place of the last axis; undefined where its length is open. */
  readonly units: Units | undefined;
}

/** A kernel that multiplies the units of signals. */
export interface Reading {
  /** Paths of the layer; several where several layers hold it. */
  readonly paths: readonly string[];
  /** Name of the weight. */
  readonly kernel: string;
  readonly shape: readonly number[];
  readonly axes: KernelAxes;
  /** Name of the weight that is added to the product, also where the layer has none. */
  readonly bias: string;
  /** What the layer reads in each of its calls: the same units at the same places. */
  readonly signals: Signal[];
  /** True where zeros are put around what is read in some call. */
  hasBorder: boolean;
}

/** One call of a layer, to find out what is constant. */
export interface Step {
  readonly inputs: readonly Signal[];
  readonly outputs: readonly Signal[];
  readonly constants: (inputs: readonly Constants[], weights: Weights) => readonly Constants[];
}

/** A layer that has units of its own. */
export interface Producer {
  /** Path of the layer. */
  readonly layer: string;
  readonly units: Units;
  /** Its outputs, one for each call. */
  readonly signals: Signal[];
  /** Why a unit can have no weights but 0 and yet be no constant: a clause about several units. */
  readonly notConstant: string | undefined;
}

/** Settings of a layer in a saved model. */
export type Settings = Readonly<Record<string, unknown>>;

/** The settings of a layer that has lost units. @param count how many of some units are left */
export type Resize = (settings: Settings, count: (units: Units) => number) => Settings;

export interface Topology {
  readonly groups: UnitGroups;
  /** By weight: the units at the places of each axis; undefined for an axis that has none. A weight whose layer is not followed is missing. */
  readonly axes: ReadonlyMap<string, readonly (Units | undefined)[]>;
  /** By kernel. */
  readonly readings: ReadonlyMap<string, Reading>;
  /** In an order in which the layers can be called. */
  readonly steps: readonly Step[];
  /** In that order as well. */
  readonly producers: readonly Producer[];
  /** By path of a layer. */
  readonly resizes: ReadonlyMap<string, readonly Resize[]>;
  /** Multiplications of kernels for a sample, by path of the layer; an axis of open length counts as one. */
  readonly multiplyAdds: ReadonlyMap<string, number>;
}

/** What is constant in each signal of a model. */
export function constantsOf({ steps }: Topology, weights: Weights): ReadonlyMap<Signal, Constants> {
  const known = new Map<Signal, Constants>();
  const of = (signal: Signal): Constants => known.get(signal) ?? new Float32Array(signal.units?.length ?? 0).fill(NaN);
  for (const { inputs, outputs, constants } of steps)
    constants(inputs.map(of), weights).forEach((values, i) =>
      known.set(
        outputs[i],
        values.map((value) => (Number.isFinite(value) ? value : NaN)),
      ),
    );
  return known;
}
