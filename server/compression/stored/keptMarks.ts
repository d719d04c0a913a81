/** @file Weights with marks of the entries that are kept, which checkpoints hold. */
import { clearUnmarked } from '../marks.ts';
import type { CompressionState } from '../methods/unit.ts';
import type { CompressibleWeight } from '../targets/targets.ts';
import { PlainWeights, restoreArrays, type Projection } from './storedWeights.ts';

/** A weight and the marks of its entries. */
export class KeptMarks {
  readonly weight: CompressibleWeight;
  /** 1 where an entry is kept. */
  readonly kept: Uint8Array;

  constructor(weight: CompressibleWeight) {
    this.weight = weight;
    this.kept = new Uint8Array(weight.values.length).fill(1);
  }

  /** Makes zero the entries that are not kept. @param array the weight, or as long as it is */
  clear(array: Float32Array): void {
    clearUnmarked(array, this.kept);
  }
}

/** What policies begin with whose masks are marks alone. */
export class WeightsWithMarks<M extends KeptMarks> extends PlainWeights {
  /** By the names of the weights, in their order. */
  protected readonly masks: ReadonlyMap<string, M>;

  /** @param Mask what a policy keeps of each weight */
  constructor(projection: Projection, Mask: new (weight: CompressibleWeight) => M) {
    super(projection);
    this.masks = new Map(projection.weights.map((weight) => [weight.name, new Mask(weight)]));
  }

  override get state(): CompressionState {
    return Object.fromEntries(Array.from(this.masks, ([name, { kept }]) => [`${name}/mask`, kept]));
  }

  override restore(state: CompressionState): void {
    restoreArrays(state, Object.entries(this.state));
  }

  /** Makes zero the entries of the weights that are not kept. */
  protected clearUnkept(): void {
    for (const mask of this.masks.values()) mask.clear(mask.weight.values);
  }
}
