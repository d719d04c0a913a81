/**
 * @file Products with sparse matrices. A matrix is held by outputs, four of them in a slice (sliced ELLPACK: Monakov, Lokhmotov
 * & Avetisyan 2010), outputs with about equally many weights together. A slice of n entries has 4 n float32 values, entry by
 * entry, and as many bytes: the distance of each weight's input from the one before it, in the same output, or from input 0.
 * Longer distances and shorter outputs have entries with the value zero.
 */

/**
 * y = bias + x W for one x. `bias` may be `y`.
 * @param sizes u32 per slice: its entries
 * @param order u32 per output, slice by slice: which one it is
 */
export function multiplySparse(
  x: usize,
  values: usize,
  distances: usize,
  sizes: usize,
  order: usize,
  outputs: i32,
  bias: usize,
  y: usize,
): void {
  for (let left = outputs; left > 0; left -= 4) {
    let x0 = x;
    let x1 = x;
    let x2 = x;
    let x3 = x;
    let sum = f32x4.splat(0);
    const end = distances + ((<usize>load<u32>(sizes)) << 2);
    while (distances < end) {
      x0 += (<usize>load<u8>(distances)) << 2;
      x1 += (<usize>load<u8>(distances, 1)) << 2;
      x2 += (<usize>load<u8>(distances, 2)) << 2;
      x3 += (<usize>load<u8>(distances, 3)) << 2;
      let inputs = v128.load32_zero(x0);
      inputs = v128.load_lane<u32>(x1, inputs, 1);
      inputs = v128.load_lane<u32>(x2, inputs, 2);
      inputs = v128.load_lane<u32>(x3, inputs, 3);
      sum = f32x4.add(sum, f32x4.mul(v128.load(values), inputs));
      distances += 4;
      values += 16;
    }
    addTo(bias, y, load<u32>(order), f32x4.extract_lane(sum, 0));
    if (left > 1) addTo(bias, y, load<u32>(order, 4), f32x4.extract_lane(sum, 1));
    if (left > 2) addTo(bias, y, load<u32>(order, 8), f32x4.extract_lane(sum, 2));
    if (left > 3) addTo(bias, y, load<u32>(order, 12), f32x4.extract_lane(sum, 3));
    sizes += 4;
    order += 16;
  }
}

@inline
function addTo(bias: usize, y: usize, output: u32, sum: f32): void {
  const at = (<usize>output) << 2;
  store<f32>(y + at, load<f32>(bias + at) + sum);
}

/**
 * Y = bias + X W for up to 16 rows of X, given as columns: `columns` [inputs, 16]. A weight is read once for all of them.
 * @param y [count, outputs]
 */
export function multiplySparseColumns(
  columns: usize,
  count: i32,
  values: usize,
  distances: usize,
  sizes: usize,
  order: usize,
  outputs: i32,
  bias: usize,
  y: usize,
): void {
  const yBytes = (<usize>outputs) << 2;
  for (let left = outputs; left > 0; left -= 4) {
    const size = (<usize>load<u32>(sizes)) << 2;
    for (let lane = 0; lane < min(left, 4); lane++) {
      const at = (<usize>load<u32>(order + ((<usize>lane) << 2))) << 2;
      let a = v128.load32_splat(bias + at);
      let b = a;
      let c = a;
      let d = a;
      let x = columns;
      let distance = distances + <usize>lane;
      let value = values + ((<usize>lane) << 2);
      const end = distances + size;
      while (distance < end) {
        x += (<usize>load<u8>(distance)) << 6;
        const v = v128.load32_splat(value);
        a = f32x4.add(a, f32x4.mul(v, v128.load(x)));
        b = f32x4.add(b, f32x4.mul(v, v128.load(x, 16)));
        c = f32x4.add(c, f32x4.mul(v, v128.load(x, 32)));
        d = f32x4.add(d, f32x4.mul(v, v128.load(x, 48)));
        distance += 4;
        value += 16;
      }
      const target = y + at;
      storeColumn(target, yBytes, count, a);
      storeColumn(target + 4 * yBytes, yBytes, count - 4, b);
      storeColumn(target + 8 * yBytes, yBytes, count - 8, c);
      storeColumn(target + 12 * yBytes, yBytes, count - 12, d);
    }
    distances += size;
    values += size << 2;
    sizes += 4;
    order += 16;
  }
}

/** Writes the first `count` lanes below one another. */
function storeColumn(y: usize, stride: usize, count: i32, v: v128): void {
  if (count > 0) store<f32>(y, f32x4.extract_lane(v, 0));
  if (count > 1) store<f32>(y + stride, f32x4.extract_lane(v, 1));
  if (count > 2) store<f32>(y + 2 * stride, f32x4.extract_lane(v, 2));
  if (count > 3) store<f32>(y + 3 * stride, f32x4.extract_lane(v, 3));
}

/** X [count, inputs], count at most 16, as columns [inputs, 16]; the columns that are left are zero. */
export function transposeTo16(x: usize, count: i32, inputs: i32, columns: usize): void {
  const xBytes = (<usize>inputs) << 2;
  if (count < 16) memory.fill(columns, 0, (<usize>inputs) << 6);
  for (let row = 0; row < count; row++) {
    let to = columns + ((<usize>row) << 2);
    for (let at: usize = 0; at < xBytes; at += 4) {
      store<f32>(to, load<f32>(x + at));
      to += 64;
    }
    x += xBytes;
  }
}
