/**
 * @file Differentiable quantization (Polino et al. 2018, section 4): the quantization points of a weight are trained in its place, and the
 * full-precision weight stays what it was. With points that are weights, the trained centroids of Deep Compression (Han et al. 2016).
 */
import { roundToTable, sumByLevel } from '../levelKernels.ts';
import type { Compression } from '../../protocol/experiment/schema.ts';
import { allocatePoints } from '../methods/quantize/allocatePoints.ts';
import { inOrder, ordered } from '../methods/quantize/buckets.ts';
import { isTableForm, type TableForm } from '../methods/quantize/levelForm.ts';
import type { CompressedWeight, CompressionState, FittedPoints, Unit } from '../methods/unit.ts';
import type { CompressibleWeight, MatchedWeight } from '../targets/targets.ts';
import {
  PlainWeights,
  restoreArrays,
  untrained,
  type Projection,
  type TensorSpec,
  type TrainedTensor,
} from './storedWeights.ts';

/** The points of a unit: as many as each weight can have. */
export function pointsOf(unit: Unit): TensorSpec[] {
  const points = fittedPoints(unit);
  return unit.targets.map((target, i) => ({ name: tensorName(target), length: points[i].most }));
}

/** The training steps from t_i on whose gradients tell how many points each weight has; 0 where the settings say it. */
export function measuringSteps(settings: Compression): number {
  return ('pointsByGradient' in settings && settings.pointsByGradient?.steps) || 0;
}

function fittedPoints({ points }: Unit): readonly FittedPoints[] {
  if (!points) throw new TypeError('The method of this policy fits points.');
  return points;
}

const tensorName = ({ weight }: MatchedWeight) => `${weight.name}/points`;

/**
 * The model computes with `a p[code] + b`, with the scale a and the offset b of each bucket of the full-precision weight, and the code of
 * the point p that is nearest to it. The gradient of a point is the sum of `a dW` over the numbers that have it; nothing else has one.
 * After each update the points are sorted and all codes are found anew. Numbers that an earlier compression made zero stay so.
 *
 * If gradients tell how many points each weight has, the weights in full precision stay what they are for the steps in which these are
 * added up, and the points are fitted after them.
 */
export class TrainedPoints extends PlainWeights {
  /** In the order of the projection's weights. */
  readonly #weights: readonly PointWeight[];
  /** True once the weights in full precision stay what they are. */
  #kept = false;
  /** True once there are points to train. */
  #fitted = false;
  /** True once codes have been found: a checkpoint has none. */
  #coded = false;

  /** @throws SettingError for a weight that is not trained */
  constructor(projection: Projection, tensors: ReadonlyMap<string, TrainedTensor>) {
    super(projection);
    const measures = measuringSteps(projection.settings()) > 0;
    const targets = new Map(projection.units().flatMap((unit) => unit.targets.map((one) => [one.weight.name, one])));
    this.#weights = projection.weights.map((weight) => {
      const target = targets.get(weight.name)!;
      return new PointWeight(target, weight, { tensor: tensors.get(tensorName(target))!, measures });
    });
  }

  /** True from the step that fits the points on. */
  get isFitted(): boolean {
    return this.#fitted;
  }

  override get state(): CompressionState {
    return Object.fromEntries(this.#arrays());
  }

  #arrays(): [key: string, array: Float32Array][] {
    const measures = measuringSteps(this.projection.settings()) > 0;
    return this.#weights.flatMap(({ arrays: { points, full, count, slopes } }) => {
      if (this.#fitted) return measures ? [points, full, count] : [points, full];
      return this.#kept ? [full, slopes] : [];
    });
  }

  override restore(state: CompressionState): void {
    const has = (part: 'full' | 'points') => this.#weights.some(({ arrays }) => arrays[part][0] in state);
    this.#kept = has('full');
    this.#fitted = has('points');
    restoreArrays(state, this.#arrays());
    if (this.#fitted) this.#linkPoints();
  }

  /** @param from the step from which the weights in full precision stay what they are */
  override async beforeStep(step: number, from = Math.max(1, this.projection.from())): Promise<void> {
    if (this.#coded || step < from) return;
    if (!this.#kept) for (const weight of this.#weights) weight.keep();
    this.#kept = true;
    const first = from + measuringSteps(this.projection.settings());
    if (!this.#fitted) {
      if (step < first) return;
      this.#unlinkPoints();
      await this.projection.project(step);
      for (const weight of this.#weights) weight.fit(this.projection.formOf(weight.name));
      this.#fitted = true;
    }
    // By the points that are trained from now on, so that the forms of the weights have them.
    await this.distort(step);
    for (const weight of this.#weights) weight.begin(this.projection.formOf(weight.name), first);
    this.#coded = true;
  }

  override pull(): void {
    if (!this.#kept) return;
    for (const weight of this.#weights)
      if (this.#coded) weight.pull();
      else weight.measure();
  }

  override push(): void {
    if (!this.#kept) return;
    for (const weight of this.#weights)
      if (this.#coded) weight.push();
      else weight.wake();
  }

  /** Lets go of the points: the weights are what they left of them, and the next step fits new ones. */
  release(): void {
    for (const { weight, points } of this.#withPoints()) {
      weight.release();
      points.trained = undefined;
    }
    this.#kept = this.#fitted = this.#coded = false;
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

  fullPrecision(name: string): Float32Array | undefined {
    return this.#kept ? this.#weights.find((weight) => weight.name === name)?.full : undefined;
  }

  /** Tells units of the points that are trained. */
  #linkPoints(): void {
    for (const { weight, points } of this.#withPoints()) {
      points.trained = weight.points;
      points.count = weight.points.length;
    }
  }

  /** Tells units how many points to fit: by the gradients that were added up, as many as usual where none were. */
  #unlinkPoints(): void {
    const all = this.#withPoints();
    const usual = all.map(({ points }) => points.usual);
    const norms = all.map(({ weight }) => weight.slopeNorm);
    const counts = allocatePoints(usual, norms);
    all.forEach(({ weight, points }, i) => {
      points.trained = undefined;
      points.count = weight.count = counts[i];
    });
  }

  /** Each weight with what its unit knows of its points: after a change of settings, the units are others. */
  #withPoints(): { weight: PointWeight; points: FittedPoints }[] {
    const weights = new Map(this.#weights.map((weight) => [weight.name, weight]));
    return this.projection.units().flatMap((unit) => {
      const points = fittedPoints(unit);
      return unit.targets.map((target, i) => ({ weight: weights.get(target.weight.name)!, points: points[i] }));
    });
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
  /** Number of the points, which are the first of the tensor: it has room for as many as gradients can give. */
  readonly #count: Float32Array;
  /** The sum of gradients that tells how many points there are. */
  readonly #slopes: Float32Array;
  /** How numbers are scaled and which are quantized, as the points were fitted; undefined where all are zero. */
  #form: TableForm | undefined;
  /** Indices of the quantized numbers, ascending; undefined where all are. */
  #positions: Uint32Array | undefined;
  #codes = new Uint8Array();

  /**
   * @param measures true where gradients tell how many points the weight has
   * @throws SettingError where the weight is not trained
   */
  constructor(
    target: MatchedWeight,
    { name, values, gradient }: CompressibleWeight,
    { tensor, measures }: { tensor: TrainedTensor; measures: boolean },
  ) {
    if (gradient === undefined) throw untrained('points', target);
    this.name = name;
    this.full = new Float32Array(values.length);
    this.#values = values;
    this.#gradient = gradient;
    this.#tensor = tensor;
    this.#count = Float32Array.of(tensor.value.length);
    this.#slopes = new Float32Array(measures ? values.length : 0);
  }

  get count(): number {
    return this.#count[0];
  }

  set count(count: number) {
    this.#count[0] = count;
  }

  /** Ascending. */
  get points(): Float32Array {
    return this.#tensor.value.subarray(0, this.count);
  }

  /** The norm of the gradients that were added up. */
  get slopeNorm(): number {
    return Math.sqrt(this.#slopes.reduce((sum, slope) => sum + slope * slope, 0));
  }

  /** What a checkpoint holds, by keys, of the moments at which it is needed. */
  get arrays(): Readonly<Record<'points' | 'full' | 'count' | 'slopes', [key: string, array: Float32Array]>> {
    return {
      points: [this.#tensor.name, this.#tensor.value],
      full: [`${this.name}/full`, this.full],
      count: [`${this.name}/count`, this.#count],
      slopes: [`${this.name}/slopes`, this.#slopes],
    };
  }

  /** Remembers the weight in full precision. */
  keep(): void {
    this.full.set(this.#values);
  }

  wake(): void {
    this.#values.set(this.full);
  }

  /** Adds up the gradient; none is left for the weight. */
  measure(): void {
    for (let i = 0; i < this.#slopes.length; i++) this.#slopes[i] += this.#gradient[i];
    this.#gradient.fill(0);
  }

  /** Leaves nothing that the optimizer could go on with. */
  release(): void {
    this.#tensor.value.fill(0);
    this.#tensor.gradient.fill(0);
  }

  /** Takes the points that a distortion fitted. */
  fit(compressed: CompressedWeight | undefined): void {
    const { form } = this.#quantized(compressed);
    if (form) this.points.set(form.table);
  }

  /** Begins with what a distortion by these points left. @param first the first step that trains them */
  begin(compressed: CompressedWeight | undefined, first: number): void {
    this.#tensor.stepsBefore = first - 1;
    const { form, positions } = this.#quantized(compressed);
    this.#form = form;
    this.#positions = positions;
    this.#codes = new Uint8Array(positions?.length ?? this.full.length);
    this.#quantize();
  }

  /** What is quantized of the weight: all of it, or the numbers that pruning kept, which can be none. */
  #quantized(compressed: CompressedWeight | undefined): {
    form: TableForm | undefined;
    positions: Uint32Array | undefined;
  } {
    const kept = compressed?.form === 'sparse' ? compressed.kept : undefined;
    if (compressed?.form === 'sparse' && !kept) return { form: undefined, positions: new Uint32Array() };
    const form = kept ? kept.numbers : compressed;
    if (form?.form !== 'levels' || !isTableForm(form)) throw new TypeError(`${this.name} was not quantized to points.`);
    return { form, positions: kept?.positions };
  }

  /** Turns the gradient of the weight into that of the points; none is left for the weight. */
  pull(): void {
    if (this.#form) {
      const slopes = this.#select(this.#gradient);
      this.#tensor.gradient.set(sumByLevel(slopes, this.#codes, this.#form, this.points.length));
    }
    this.#gradient.fill(0);
  }

  /** Quantizes the full-precision weight by the points as they are now. */
  push(): void {
    this.points.sort();
    this.#quantize();
  }

  #quantize(): void {
    const form = this.#form;
    if (!form) {
      this.#values.fill(0);
      return;
    }
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
