/**
 * @file Resizing of images: a linear map of the numbers on each axis, by the formulas of the operator Resize. Sizes and places are computed
 * in float32, as ONNX Runtime computes them: 10 places by a scale of 1.4, which float32 has as 1.39999998, are 14.
 */
import * as tf from '@tensorflow/tfjs';
import { elementCount } from '../../../protocol/shape.ts';
import type { NodeCall, Operators } from '../nodeCall.ts';
import { axisOf } from '../values.ts';

const MODES = ['nearest', 'linear', 'cubic'] as const;
const COORDINATES = [
  'half_pixel',
  'asymmetric',
  'align_corners',
  'pytorch_half_pixel',
  'half_pixel_symmetric',
] as const;
const ROUNDING = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;
type Rounding = (typeof ROUNDING)[number];

interface Sampling {
  readonly mode: (typeof MODES)[number];
  readonly coordinates: (typeof COORDINATES)[number];
  /** Undefined before version 11: up in an image that becomes smaller, else down. */
  readonly rounding: Rounding | undefined;
  /** a of Keys 1981. */
  readonly cubic: number;
  readonly excludesOutside: boolean;
}

const f32 = Math.fround;

/** Place of the input that a place of the output is taken from. */
function sourceOf(place: number, input: number, output: number, scale: number, { coordinates }: Sampling): number {
  switch (coordinates) {
    case 'asymmetric':
      return f32(place / scale);
    case 'align_corners':
      return output === 1 ? 0 : f32(f32(place * (input - 1)) / (output - 1));
    case 'pytorch_half_pixel':
      return output > 1 ? f32(f32((place + 0.5) / scale) - 0.5) : 0;
    case 'half_pixel_symmetric': {
      const adjustment = f32(output / f32(scale * input));
      const offset = f32((input / 2) * f32(1 - adjustment));
      return f32(offset + (place + 0.5) / scale - 0.5);
    }
    case 'half_pixel':
      return f32(f32((place + 0.5) / scale) - 0.5);
    default:
      return coordinates satisfies never;
  }
}

/** True halfway between two places, up to the error of float32 that ONNX Runtime allows. */
const isHalfway = (x: number) => Math.abs(x - Math.floor(x) - 0.5) < 1e-6;

const round: Readonly<Record<Rounding, (x: number) => number>> = {
  round_prefer_floor: (x) => (isHalfway(x) ? Math.floor(x) : Math.round(x)),
  round_prefer_ceil: (x) => (isHalfway(x) ? Math.ceil(x) : Math.round(x)),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Weights of the 4 places around a fraction (Keys 1981). */
function cubicWeights(t: number, a: number): number[] {
  const near = (x: number) => (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
  const far = (x: number) => a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

/** The map of an axis: for each place of the output, places of the input with their weights. */
function samplesOf(
  input: number,
  output: number,
  scale: number,
  sampling: Sampling,
): [place: number, weight: number][][] {
  const inside = (place: number) => Math.max(0, Math.min(input - 1, place));
  return Array.from({ length: output }, (_, place) => {
    const source = sourceOf(place, input, output, scale, sampling);
    if (sampling.mode === 'nearest') {
      const rounding = sampling.rounding ?? (scale < 1 ? 'ceil' : 'floor');
      return [[inside(round[rounding](source)), 1]];
    }
    const low = Math.floor(source);
    if (sampling.mode === 'linear') {
      const at = inside(source);
      const [from, fraction] = [Math.floor(at), at - Math.floor(at)];
      return [
        [from, 1 - fraction],
        [inside(from + 1), fraction],
      ];
    }
    const places = [low - 1, low, low + 1, low + 2];
    const weights = cubicWeights(source - low, sampling.cubic).map((weight, i) =>
      sampling.excludesOutside && inside(places[i]) !== places[i] ? 0 : weight,
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return places.map((one, i) => [inside(one), weights[i] / sum]);
  });
}

/** Resizes one axis of [outer, length, inner]: repeats where each place is taken equally often, else multiplies with the map. */
function resizeAxis(x: tf.Tensor, axis: number, samples: [number, number][][]): tf.Tensor {
  const length = x.shape[axis];
  const outer = elementCount(x.shape.slice(0, axis));
  const inner = elementCount(x.shape.slice(axis + 1));
  const shape = x.shape.toSpliced(axis, 1, samples.length);
  const times = samples.length / length;
  const isRepeated = samples.every((places, i) => places.length === 1 && places[0][0] === Math.floor(i / times));
  if (isRepeated && Number.isInteger(times))
    return tf.reshape(tf.tile(tf.reshape(x, [outer, length, 1, inner]), [1, 1, times, 1]), shape);
  const map = new Float32Array(samples.length * length);
  samples.forEach((places, row) => {
    for (const [place, weight] of places) map[row * length + place] += weight;
  });
  const matrix = tf.tensor2d(map, [samples.length, length]);
  if (inner === 1) return tf.reshape(tf.matMul(tf.reshape(x, [outer, length]), matrix, false, true), shape);
  return tf.reshape(tf.matMul(matrix, tf.reshape(x, [outer, length, inner])), shape);
}

function resize(call: NodeCall): tf.Tensor {
  const x = call.floats(0);
  // Before version 11, the scales are the second input, and a place is one of the input divided by its scale.
  const isOld = call.mode.opset < 11;
  const sampling: Sampling = {
    mode: call.word('mode', MODES),
    coordinates: isOld ? 'asymmetric' : call.word('coordinate_transformation_mode', COORDINATES),
    rounding: isOld ? undefined : call.word('nearest_mode', ROUNDING),
    cubic: call.real('cubic_coeff_a', -0.75),
    excludesOutside: call.integer('exclude_outside', 0) !== 0,
  };
  call.real('extrapolation_value', 0); // It is for tf_crop_and_resize alone, which is refused above.
  call.word('keep_aspect_ratio_policy', ['stretch']);
  if (call.integer('antialias', 0) !== 0) throw new TypeError('its antialias is not known here');
  const axes = (call.integers('axes') ?? x.shape.map((_, axis) => axis)).map((axis) => axisOf(axis, x.rank));
  const scales = call.numbers(isOld ? 1 : 2, 'the scales') ?? [];
  const sizes = call.numbers(3, 'the sizes') ?? [];
  if (scales.length !== axes.length && sizes.length !== axes.length)
    throw new TypeError(`it has neither a scale nor a size for each of its ${axes.length} axes`);
  const outputs = axes.map((axis, i) => (sizes.length > 0 ? sizes[i] : Math.floor(f32(x.shape[axis] * scales[i]))));
  // ONNX Runtime gives an image that keeps its sizes back as it is, also by a scale such as 1.1 of 7 places.
  if (outputs.every((output, i) => output === x.shape[axes[i]])) return x;
  return axes.reduce<tf.Tensor>((resized, axis, i) => {
    const [input, output] = [x.shape[axis], outputs[i]];
    const scale = sizes.length > 0 ? f32(output / input) : scales[i];
    if (output === input && scale === 1) return resized;
    return resizeAxis(resized, axis, samplesOf(input, output, scale, sampling));
  }, x);
}

export const resizeOperators: Operators = { Resize: resize };
