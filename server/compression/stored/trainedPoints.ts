/**
 * @file Differentiable quantization (Polino et al. 2018, section 4): the quantization points of a weight are trained in its place, and the
 * full-precision weight stays what it was. With points that are weights, the trained centroids of Deep Compression (Han et al. 2016).
 */
import { roundToTable, sumByLevel } from '../levelKernels.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { inOrder, ordered } from '../methods/quantize/buckets.ts';
import { isTableForm, type TableForm } from '../methods/quantize/levelForm.ts';
import type { CompressedWeight, CompressionState, Unit } from '../methods/unit.ts';
import type { CompressibleWeight, MatchedWeight } from '../targets/targets.ts';
import { PlainWeights, restoreArrays, type Projection, type TensorSpec, type TrainedTensor } from './storedWeights.ts';

/** The points of a unit. */
export function pointsOf({ targets, points }: Unit): TensorSpec[] {
  if (!points) throw new TypeError('The method of this policy fits points.');
  return targets.map((target) => ({ name: tensorName(target), length: points.count }));
}

const tensorName = ({ weight }: MatchedWeight) => `${weight.name}/points`;

/**
 * The model computes with `a p[code] + b`, with the scale a and the offset b of each bucket of the full-precision weight, and the code of
 * the point p that is nearest to it. The gradient of a point is the sum of `a dW` over the numbers that have it; nothing else has one.
 * After each update the points are sorted and all codes are found anew. Numbers that an earlier compression made zero stay so.
 */
export class TrainedPoints extends PlainWeights {
  /** In the order of the projection's weights. */
  readonly #weights: readonly PointWeight[];
  /** True once there are points to train. */
  #fitted = false;
  /** True once codes have been found: a checkpoint has none. */
  #coded = false;

  /** @throws SettingError for a weight that is not trained */
  constructor(projection: Projection, tensors: ReadonlyMap<string, TrainedTensor>) {
    super(projection);
    const targets = new Map(projection.units().flatMap((unit) => unit.targets.map((one) => [one.weight.name, one])));
    this.#weights = projection.weights.map((weight) => {
      const target = targets.get(weight.name)!;
      return new PointWeight(target, weight, tensors.get(tensorName(target))!);
    });
  }

  override get state(): CompressionState {
    return this.#fitted ? Object.fromEntries(this.#weights.flatMap(({ arrays }) => arrays)) : {};
  }

  override restore(state: CompressionState): void {
    const arrays = this.#weights.flatMap((weight) => weight.arrays);
    this.#fitted = arrays.some(([name]) => name in state);
    if (this.#fitted) restoreArrays(state, arrays);
  }

  override async beforeStep(step: number): Promise<void> {
    if (this.#coded || step < this.projection.from()) return;
    if (!this.#fitted) {
      for (const weight of this.#weights) weight.keep();
      await this.projection.project(step);
      for (const weight of this.#weights) weight.fit(this.projection.formOf(weight.name));
      this.#fitted = true;
    }
    // By the points that are trained from now on, so that the forms of the weights have them.
    await this.distort(step);
    for (const weight of this.#weights) weight.begin(this.projection.formOf(weight.name));
    this.#coded = true;
  }

  override pull(): void {
    if (this.#coded) for (const weight of this.#weights) weight.pull();
  }

  override push(): void {
    if (this.#coded) for (const weight of this.#weights) weight.push();
  }

  /** Quantizes the weights in full precision by the trained points. */
  override async distort(step: number): Promise<void> {
    if (this.#fitted) {
      this.#linkPoints();
      for (const weight of this.#weights) weight.wake();
    }
    await super.distort(step);
  }

  override undistorted(): Float32Array[] {
    if (!this.#fitted) return super.undistorted();
    this.#linkPoints();
    return this.#weights.map(({ full }) => full.slice());
  }

  /** Tells units of the trained points: after a change of settings, the units are others. */
  #linkPoints(): void {
    const units = new Map(
      this.projection.units().flatMap((unit) => unit.targets.map((one) => [one.weight.name, unit])),
    );
    for (const { name, points } of this.#weights) units.get(name)!.points!.trained = points;
  }
}

/** A weight whose points are trained. */
class PointWeight {
  readonly name: string;
  /** The weight in full precision. */
  readonly full: Float32Array;
  readonly #values: Float32Array;
  readonly #gradient: Float32Array;
  readonly #tensor: TrainedTensor;
  /** How numbers are scaled and which are quantized, as the points were fitted. */
  #form: TableForm | undefined;
  /** Indices of the quantized numbers, ascending; undefined where all are. */
  #positions: Uint32Array | undefined;
  #codes = new Uint8Array();

  /** @throws SettingError where the weight is not trained */
  constructor(target: MatchedWeight, { name, values, gradient }: CompressibleWeight, tensor: TrainedTensor) {
    if (gradient === undefined) throw untrained(target);
    this.name = name;
    this.full = new Float32Array(values.length);
    this.#values = values;
    this.#gradient = gradient;
    this.#tensor = tensor;
  }

  /** Ascending. */
  get points(): Float32Array {
    return this.#tensor.value;
  }

  /** What a checkpoint holds. */
  get arrays(): [name: string, array: Float32Array][] {
    return [
      [this.#tensor.name, this.points],
      [`${this.name}/full`, this.full],
    ];
  }

  /** Remembers the weight in full precision. */
  keep(): void {
    this.full.set(this.#values);
  }

  wake(): void {
    this.#values.set(this.full);
  }

  /** Takes the points that a distortion fitted. */
  fit(compressed: CompressedWeight | undefined): void {
    this.points.set(this.#quantized(compressed).form.table);
  }

  /** Begins with what a distortion by these points left. */
  begin(compressed: CompressedWeight | undefined): void {
    const { form, positions } = this.#quantized(compressed);
    this.#form = form;
    this.#positions = positions;
    this.#codes = new Uint8Array(positions?.length ?? this.full.length);
    this.#quantize();
  }

  /** What is quantized of the weight: all of it, or the numbers that pruning kept. */
  #quantized(compressed: CompressedWeight | undefined): { form: TableForm; positions: Uint32Array | undefined } {
    const kept = compressed?.form === 'sparse' ? compressed.kept : undefined;
    const form = kept ? kept.numbers : compressed;
    if (form?.form !== 'levels' || !isTableForm(form)) throw new TypeError(`${this.name} was not quantized to points.`);
    return { form, positions: kept?.positions };
  }

  /** Turns the gradient of the weight into that of the points; none is left for the weight. */
  pull(): void {
    const slopes = this.#select(this.#gradient);
    this.#tensor.gradient.set(sumByLevel(slopes, this.#codes, this.#form!, this.points.length));
    this.#gradient.fill(0);
  }

  /** Quantizes the full-precision weight by the points as they are now. */
  push(): void {
    this.points.sort();
    this.#quantize();
  }

  #quantize(): void {
    const form = this.#form!;
    const positions = this.#positions;
    if (!positions) {
      this.wake();
      inOrder(this.#values, form.view, (numbers) => roundToTable(numbers, form, this.#codes));
      return;
    }
    const numbers = this.#select(this.full);
    roundToTable(numbers, form, this.#codes);
    this.#values.fill(0);
    positions.forEach((position, i) => (this.#values[position] = numbers[i]));
  }

  /** The numbers at the places that are quantized, in the order of their codes. */
  #select(array: Float32Array): Float32Array {
    const positions = this.#positions;
    return positions ? Float32Array.from(positions, (position) => array[position]) : ordered(array, this.#form!.view);
  }
}

function untrained({ weight, key }: MatchedWeight): SettingError {
  return new SettingError(
    ['layers', key],
    `the points of ${weight.name} cannot be trained: the model does not train this weight`,
    { remedy: 'Leave the layer out, set it to trainable, or use another policy.' },
  );
}
