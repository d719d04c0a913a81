/** @file Products with dense matrices [inputs, outputs], row-major float32. */

/** y = bias + x W for one x. `bias` may be `y`. Four rows of W in one pass over y, so that W is read once, in order. */
export function multiplyVector(x: usize, w: usize, bias: usize, inputs: i32, outputs: i32, y: usize): void {
  const rowBytes = (<usize>outputs) << 2;
  const vectorBytes = rowBytes & ~15;
  if (bias !== y) memory.copy(y, bias, rowBytes);
  let i = 0;
  for (; i + 4 <= inputs; i += 4) {
    const x0 = v128.load32_splat(x);
    const x1 = v128.load32_splat(x, 4);
    const x2 = v128.load32_splat(x, 8);
    const x3 = v128.load32_splat(x, 12);
    const w1 = w + rowBytes;
    const w2 = w1 + rowBytes;
    const w3 = w2 + rowBytes;
    let at: usize = 0;
    for (; at < vectorBytes; at += 16) {
      const low = f32x4.add(f32x4.mul(x0, v128.load(w + at)), f32x4.mul(x1, v128.load(w1 + at)));
      const high = f32x4.add(f32x4.mul(x2, v128.load(w2 + at)), f32x4.mul(x3, v128.load(w3 + at)));
      v128.store(y + at, f32x4.add(v128.load(y + at), f32x4.add(low, high)));
    }
    for (; at < rowBytes; at += 4) {
      const low = load<f32>(x) * load<f32>(w + at) + load<f32>(x, 4) * load<f32>(w1 + at);
      const high = load<f32>(x, 8) * load<f32>(w2 + at) + load<f32>(x, 12) * load<f32>(w3 + at);
      store<f32>(y + at, load<f32>(y + at) + (low + high));
    }
    w = w3 + rowBytes;
    x += 16;
  }
  for (; i < inputs; i++) {
    const x0 = v128.load32_splat(x);
    let at: usize = 0;
    for (; at < vectorBytes; at += 16)
      v128.store(y + at, f32x4.add(v128.load(y + at), f32x4.mul(x0, v128.load(w + at))));
    for (; at < rowBytes; at += 4) store<f32>(y + at, load<f32>(y + at) + load<f32>(x) * load<f32>(w + at));
    w += rowBytes;
    x += 4;
  }
}

/** Y = bias + X W for X [count, inputs]: tiles of 4 rows and 8 or 4 columns, whose sums stay in registers. */
export function multiplyMatrix(x: usize, count: i32, w: usize, bias: usize, inputs: i32, outputs: i32, y: usize): void {
  const xBytes = (<usize>inputs) << 2;
  const yBytes = (<usize>outputs) << 2;
  let row = 0;
  for (; row + 4 <= count; row += 4) {
    let column: usize = 0;
    for (; column + 32 <= yBytes; column += 32) tile8(x, xBytes, w + column, bias + column, y + column, yBytes);
    for (; column + 16 <= yBytes; column += 16) tile4(x, xBytes, w + column, bias + column, y + column, yBytes);
    for (; column < yBytes; column += 4)
      for (let r: usize = 0; r < 4; r++)
        single(x + r * xBytes, xBytes, w + column, bias + column, y + r * yBytes + column, yBytes);
    x += xBytes << 2;
    y += yBytes << 2;
  }
  for (; row < count; row++) {
    multiplyVector(x, w, bias, inputs, outputs, y);
    x += xBytes;
    y += yBytes;
  }
}

function tile8(x: usize, xBytes: usize, w: usize, bias: usize, y: usize, yBytes: usize): void {
  let a0 = v128.load(bias);
  let b0 = v128.load(bias, 16);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b1 = b0;
  let b2 = b0;
  let b3 = b0;
  const x1 = x + xBytes;
  const x2 = x1 + xBytes;
  const x3 = x2 + xBytes;
  for (let i: usize = 0; i < xBytes; i += 4) {
    const low = v128.load(w);
    const high = v128.load(w, 16);
    let v = v128.load32_splat(x + i);
    a0 = f32x4.add(a0, f32x4.mul(v, low));
    b0 = f32x4.add(b0, f32x4.mul(v, high));
    v = v128.load32_splat(x1 + i);
    a1 = f32x4.add(a1, f32x4.mul(v, low));
    b1 = f32x4.add(b1, f32x4.mul(v, high));
    v = v128.load32_splat(x2 + i);
    a2 = f32x4.add(a2, f32x4.mul(v, low));
    b2 = f32x4.add(b2, f32x4.mul(v, high));
    v = v128.load32_splat(x3 + i);
    a3 = f32x4.add(a3, f32x4.mul(v, low));
    b3 = f32x4.add(b3, f32x4.mul(v, high));
    w += yBytes;
  }
  v128.store(y, a0);
  v128.store(y, b0, 16);
  y += yBytes;
  v128.store(y, a1);
  v128.store(y, b1, 16);
  y += yBytes;
  v128.store(y, a2);
  v128.store(y, b2, 16);
  y += yBytes;
  v128.store(y, a3);
  v128.store(y, b3, 16);
}

function tile4(x: usize, xBytes: usize, w: usize, bias: usize, y: usize, yBytes: usize): void {
  let a0 = v128.load(bias);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  const x1 = x + xBytes;
  const x2 = x1 + xBytes;
  const x3 = x2 + xBytes;
  for (let i: usize = 0; i < xBytes; i += 4) {
    const low = v128.load(w);
    a0 = f32x4.add(a0, f32x4.mul(v128.load32_splat(x + i), low));
    a1 = f32x4.add(a1, f32x4.mul(v128.load32_splat(x1 + i), low));
    a2 = f32x4.add(a2, f32x4.mul(v128.load32_splat(x2 + i), low));
    a3 = f32x4.add(a3, f32x4.mul(v128.load32_splat(x3 + i), low));
    w += yBytes;
  }
  v128.store(y, a0);
  v128.store(y + yBytes, a1);
  v128.store(y + 2 * yBytes, a2);
  v128.store(y + 3 * yBytes, a3);
}

/** One number of Y. */
function single(x: usize, xBytes: usize, w: usize, bias: usize, y: usize, yBytes: usize): void {
  let sum = load<f32>(bias);
  for (let i: usize = 0; i < xBytes; i += 4) {
    sum += load<f32>(x + i) * load<f32>(w);
    w += yBytes;
  }
  store<f32>(y, sum);
}
