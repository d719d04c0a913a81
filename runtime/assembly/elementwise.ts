/** @file Functions of each number, in place or from arrays to an array; sums of a whole row. Lengths are counts of float32 numbers. */

/** e^x to about one unit in the last place (Cephes, expf.c); NaN stays NaN. */
function exp4(x: v128): v128 {
  x = f32x4.max(f32x4.min(x, f32x4.splat(88.8)), f32x4.splat(-104));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375))), f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  const e = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), f32x4.splat(1));
  // 2^n in two factors: it may have no float32 of its own at either end.
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(e, powerOf2(half)), powerOf2(i32x4.sub(whole, half)));
}

function powerOf2(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}

/** Cephes, tanhf.c: a polynomial where |x| < 0.625, else by e^(2 |x|). */
function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const one = f32x4.splat(1);
  const e = exp4(f32x4.add(size, size));
  const far = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(e, one)));
  const sign = v128.and(x, f32x4.splat(-0.0));
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-3.33332819422e-1));
  const near = f32x4.add(x, f32x4.mul(f32x4.mul(p, z), x));
  return v128.bitselect(near, v128.or(far, sign), f32x4.lt(size, f32x4.splat(0.625)));
}

const RELU = 0;
const RELU6 = 1;
const SIGMOID = 2;
const HARD_SIGMOID = 3;
const TANH = 4;
const SWISH = 5;
const EXP = 6;
const LEAKY_RELU = 7;
const ELU = 8;

function activate4(kind: i32, x: v128, alpha: v128): v128 {
  const zero = f32x4.splat(0);
  switch (kind) {
    case RELU:
      return f32x4.max(x, zero);
    case RELU6:
      return f32x4.min(f32x4.max(x, zero), f32x4.splat(6));
    case SIGMOID:
      return sigmoid4(x);
    case HARD_SIGMOID:
      return f32x4.min(
        f32x4.max(f32x4.add(f32x4.mul(x, f32x4.splat(0.2)), f32x4.splat(0.5)), zero),
        f32x4.splat(1),
      );
    case TANH:
      return tanh4(x);
    case SWISH:
      return f32x4.mul(x, sigmoid4(x));
    case EXP:
      return exp4(x);
    case LEAKY_RELU:
      return v128.bitselect(f32x4.mul(x, alpha), x, f32x4.lt(x, zero));
    default:
      return v128.bitselect(f32x4.mul(alpha, f32x4.sub(exp4(x), f32x4.splat(1))), x, f32x4.lt(x, zero));
  }
}

/** x = f(x), f by its number above; `alpha` is the parameter of those that have one. */
export function activate(kind: i32, alpha: f32, x: usize, length: i32): void {
  const a = f32x4.splat(alpha);
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    v128.store(x, activate4(kind, v128.load(x), a));
    x += 16;
  }
  for (; i < length; i++) {
    store<f32>(x, f32x4.extract_lane(activate4(kind, v128.load32_splat(x), a), 0));
    x += 4;
  }
}

const ADD = 0;
const MULTIPLY = 1;
const MAXIMUM = 2;
const MINIMUM = 3;
const SUBTRACT = 4;

function combine4(kind: i32, a: v128, b: v128): v128 {
  switch (kind) {
    case ADD:
      return f32x4.add(a, b);
    case MULTIPLY:
      return f32x4.mul(a, b);
    case MAXIMUM:
      return f32x4.max(a, b);
    case MINIMUM:
      return f32x4.min(a, b);
    default:
      return f32x4.sub(a, b);
  }
}

/** y = f(a, b), f by its number above. `y` may be one of them. */
export function combine(kind: i32, a: usize, b: usize, length: i32, y: usize): void {
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    v128.store(y, combine4(kind, v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
    y += 16;
  }
  for (; i < length; i++) {
    store<f32>(y, f32x4.extract_lane(combine4(kind, v128.load32_splat(a), v128.load32_splat(b)), 0));
    a += 4;
    b += 4;
    y += 4;
  }
}

/** y = factor x; `y` may be `x`. */
export function multiplyBy(factor: f32, x: usize, length: i32, y: usize): void {
  for (let i = 0; i < length; i++) store<f32>(y + ((<usize>i) << 2), factor * load<f32>(x + ((<usize>i) << 2)));
}

/** Y = X scale + shift for `count` rows of `channels` numbers; `y` may be `x`. */
export function scaleChannels(x: usize, scale: usize, shift: usize, channels: i32, count: i32, y: usize): void {
  for (let row = 0; row < count; row++) {
    let c = 0;
    let s = scale;
    let b = shift;
    for (; c + 4 <= channels; c += 4) {
      v128.store(y, f32x4.add(f32x4.mul(v128.load(x), v128.load(s)), v128.load(b)));
      x += 16;
      y += 16;
      s += 16;
      b += 16;
    }
    for (; c < channels; c++) {
      store<f32>(y, load<f32>(x) * load<f32>(s) + load<f32>(b));
      x += 4;
      y += 4;
      s += 4;
      b += 4;
    }
  }
}

/** Each of `count` rows of `size` numbers to mean 0 and variance 1, in float64. `y` may be `x`. */
export function normalizeRows(x: usize, epsilon: f32, size: i32, count: i32, y: usize): void {
  const bytes = (<usize>size) << 2;
  for (let row = 0; row < count; row++) {
    let sum: f64 = 0;
    for (let at: usize = 0; at < bytes; at += 4) sum += <f64>load<f32>(x + at);
    const mean = sum / <f64>size;
    let squares: f64 = 0;
    for (let at: usize = 0; at < bytes; at += 4) {
      const difference = <f64>load<f32>(x + at) - mean;
      squares += difference * difference;
    }
    const factor = 1 / Math.sqrt(squares / <f64>size + <f64>epsilon);
    for (let at: usize = 0; at < bytes; at += 4)
      store<f32>(y + at, <f32>((<f64>load<f32>(x + at) - mean) * factor));
    x += bytes;
    y += bytes;
  }
}

/** The softmax of each of `count` rows of `size` numbers, in place. */
export function softmax(x: usize, size: i32, count: i32): void {
  const bytes = (<usize>size) << 2;
  for (let row = 0; row < count; row++) {
    let largest: f32 = -Infinity;
    for (let at: usize = 0; at < bytes; at += 4) largest = max(largest, load<f32>(x + at));
    for (let at: usize = 0; at < bytes; at += 4) store<f32>(x + at, load<f32>(x + at) - largest);
    activate(EXP, 0, x, size);
    let sum: f64 = 0;
    for (let at: usize = 0; at < bytes; at += 4) sum += <f64>load<f32>(x + at);
    multiplyBy(<f32>(1 / sum), x, size, x);
    x += bytes;
  }
}
