/** @file Resizing of images: a linear map of the numbers on each axis, by the formulas of the operator Resize. */
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

interface Sampling {
  readonly mode: (typeof MODES)[number];
  readonly coordinates: (typeof COORDINATES)[number];
  readonly rounding: (typeof ROUNDING)[number];
  /** a of Keys 1981. */
  readonly cubic: number;
  readonly excludesOutside: boolean;
}

/** Place of the input that a place of the output is taken from. */
function sourceOf(place: number, input: number, output: number, scale: number, { coordinates }: Sampling): number {
  switch (coordinates) {
    case 'asymmetric':
      return place / scale;
    case 'align_corners':
      return output === 1 ? 0 : (place * (input - 1)) / (output - 1);
    case 'pytorch_half_pixel':
      return output > 1 ? (place + 0.5) / scale - 0.5 : 0;
    case 'half_pixel_symmetric': {
      const adjustment = output / (scale * input);
      return (input / 2) * (1 - adjustment) + (place + 0.5) / scale - 0.5;
    }
    case 'half_pixel':
      return (place + 0.5) / scale - 0.5;
    default:
      return coordinates satisfies never;
  }
}

const round: Readonly<Record<Sampling['rounding'], (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
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
    if (sampling.mode === 'nearest') return [[inside(round[sampling.rounding](source)), 1]];
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
    rounding: isOld ? 'floor' : call.word('nearest_mode', ROUNDING),
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
  return axes.reduce<tf.Tensor>((resized, axis, i) => {
    const input = x.shape[axis];
    const output = sizes.length > 0 ? sizes[i] : Math.floor(input * scales[i]);
    const scale = sizes.length > 0 ? output / input : scales[i];
    if (output === input && scale === 1) return resized;
    return resizeAxis(resized, axis, samplesOf(input, output, scale, sampling));
  }, x);
}

export const resizeOperators: Operators = { Resize: resize };
