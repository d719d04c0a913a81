/**
 * @file Kernels of dense symmetric matrices in float64 SIMD. Matrices are row-major; `stride` is the distance of two
 * rows in elements, and only the lower triangle of a symmetric matrix is read.
 */

function sumOfLanes(x: v128): f64 {
  return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1);
}

/** x . y */
function dot(x: usize, y: usize, length: i32): f64 {
  let sum0 = f64x2.splat(0);
  let sum1 = f64x2.splat(0);
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const at = (<usize>i) << 3;
    sum0 = f64x2.add(sum0, f64x2.mul(v128.load(x + at), v128.load(y + at)));
    sum1 = f64x2.add(sum1, f64x2.mul(v128.load(x + at, 16), v128.load(y + at, 16)));
  }
  let sum = sumOfLanes(f64x2.add(sum0, sum1));
  for (; i < length; i++) sum += load<f64>(x + ((<usize>i) << 3)) * load<f64>(y + ((<usize>i) << 3));
  return sum;
}

/** y += a x + b z */
function addTwoMultiples(y: usize, a: f64, x: usize, b: f64, z: usize, length: i32): void {
  const as = f64x2.splat(a);
  const bs = f64x2.splat(b);
  let i = 0;
  for (; i + 2 <= length; i += 2) {
    const at = (<usize>i) << 3;
    const sum = f64x2.add(f64x2.mul(as, v128.load(x + at)), f64x2.mul(bs, v128.load(z + at)));
    v128.store(y + at, f64x2.add(v128.load(y + at), sum));
  }
  if (i < length) {
    const at = (<usize>i) << 3;
    store<f64>(y + at, load<f64>(y + at) + a * load<f64>(x + at) + b * load<f64>(z + at));
  }
}

/** x *= a */
function scale(x: usize, a: f64, length: i32): void {
  for (let i = 0; i < length; i++) store<f64>(x + ((<usize>i) << 3), a * load<f64>(x + ((<usize>i) << 3)));
}

/** p = G v for the leading `size` rows and columns of G; four rows at a time, so that G is read from memory once. */
function multiplySymmetric(p: usize, g: usize, v: usize, size: i32, stride: i32): void {
  memory.fill(p, 0, (<usize>size) << 3);
  const rowBytes = (<usize>stride) << 3;
  let row = 0;
  for (; row + 4 <= size; row += 4) {
    const g0 = g + <usize>row * rowBytes;
    const g1 = g0 + rowBytes;
    const g2 = g1 + rowBytes;
    const g3 = g2 + rowBytes;
    const at = (<usize>row) << 3;
    const v0 = v128.load64_splat(v + at);
    const v1 = v128.load64_splat(v + at, 8);
    const v2 = v128.load64_splat(v + at, 16);
    const v3 = v128.load64_splat(v + at, 24);
    let s0 = f64x2.splat(0);
    let s1 = f64x2.splat(0);
    let s2 = f64x2.splat(0);
    let s3 = f64x2.splat(0);
    for (let column: usize = 0; column < at; column += 16) {
      const x = v128.load(v + column);
      const r0 = v128.load(g0 + column);
      const r1 = v128.load(g1 + column);
      const r2 = v128.load(g2 + column);
      const r3 = v128.load(g3 + column);
      s0 = f64x2.add(s0, f64x2.mul(r0, x));
      s1 = f64x2.add(s1, f64x2.mul(r1, x));
      s2 = f64x2.add(s2, f64x2.mul(r2, x));
      s3 = f64x2.add(s3, f64x2.mul(r3, x));
      const low = f64x2.add(f64x2.mul(r0, v0), f64x2.mul(r1, v1));
      const high = f64x2.add(f64x2.mul(r2, v2), f64x2.mul(r3, v3));
      v128.store(p + column, f64x2.add(v128.load(p + column), f64x2.add(low, high)));
    }
    addRowPart(p, g0, v, row, row, sumOfLanes(s0));
    addRowPart(p, g1, v, row, row + 1, sumOfLanes(s1));
    addRowPart(p, g2, v, row, row + 2, sumOfLanes(s2));
    addRowPart(p, g3, v, row, row + 3, sumOfLanes(s3));
  }
  for (; row < size; row++) addRowPart(p, g + <usize>row * rowBytes, v, 0, row, 0);
}

/** What the elements `from`..`row` of one row of G, and their mirror images, add to p; `sum` is what the others add to p[row]. */
function addRowPart(p: usize, gRow: usize, v: usize, from: i32, row: i32, sum: f64): void {
  const vRow = load<f64>(v + ((<usize>row) << 3));
  for (let column = from; column < row; column++) {
    const at = (<usize>column) << 3;
    const element = load<f64>(gRow + at);
    sum += element * load<f64>(v + at);
    store<f64>(p + at, load<f64>(p + at) + element * vRow);
  }
  const at = (<usize>row) << 3;
  store<f64>(p + at, load<f64>(p + at) + sum + load<f64>(gRow + at) * vRow);
}

/**
 * G -= V' W + W' V on the leading `size` rows and columns, for `count` rows of V and W; row q of V is at `v - q * stride`.
 * Tiles of 4 x 4: what they write above the diagonal is never read.
 */
function updateRankTwo(g: usize, v: usize, w: usize, count: i32, size: i32, stride: i32): void {
  const rowBytes = (<usize>stride) << 3;
  let row = 0;
  for (; row + 4 <= size; row += 4) {
    const g0 = g + <usize>row * rowBytes;
    const g1 = g0 + rowBytes;
    const g2 = g1 + rowBytes;
    const g3 = g2 + rowBytes;
    const at = (<usize>row) << 3;
    for (let column: usize = 0; column <= at; column += 32) {
      let a0 = v128.load(g0 + column);
      let b0 = v128.load(g0 + column, 16);
      let a1 = v128.load(g1 + column);
      let b1 = v128.load(g1 + column, 16);
      let a2 = v128.load(g2 + column);
      let b2 = v128.load(g2 + column, 16);
      let a3 = v128.load(g3 + column);
      let b3 = v128.load(g3 + column, 16);
      let vq = v;
      let wq = w;
      for (let q = 0; q < count; q++) {
        const wa = v128.load(wq + column);
        const wb = v128.load(wq + column, 16);
        const va = v128.load(vq + column);
        const vb = v128.load(vq + column, 16);
        let vr = v128.load64_splat(vq + at);
        let wr = v128.load64_splat(wq + at);
        a0 = f64x2.sub(f64x2.sub(a0, f64x2.mul(vr, wa)), f64x2.mul(wr, va));
        b0 = f64x2.sub(f64x2.sub(b0, f64x2.mul(vr, wb)), f64x2.mul(wr, vb));
        vr = v128.load64_splat(vq + at, 8);
        wr = v128.load64_splat(wq + at, 8);
        a1 = f64x2.sub(f64x2.sub(a1, f64x2.mul(vr, wa)), f64x2.mul(wr, va));
        b1 = f64x2.sub(f64x2.sub(b1, f64x2.mul(vr, wb)), f64x2.mul(wr, vb));
        vr = v128.load64_splat(vq + at, 16);
        wr = v128.load64_splat(wq + at, 16);
        a2 = f64x2.sub(f64x2.sub(a2, f64x2.mul(vr, wa)), f64x2.mul(wr, va));
        b2 = f64x2.sub(f64x2.sub(b2, f64x2.mul(vr, wb)), f64x2.mul(wr, vb));
        vr = v128.load64_splat(vq + at, 24);
        wr = v128.load64_splat(wq + at, 24);
        a3 = f64x2.sub(f64x2.sub(a3, f64x2.mul(vr, wa)), f64x2.mul(wr, va));
        b3 = f64x2.sub(f64x2.sub(b3, f64x2.mul(vr, wb)), f64x2.mul(wr, vb));
        vq -= rowBytes;
        wq += rowBytes;
      }
      v128.store(g0 + column, a0);
      v128.store(g0 + column, b0, 16);
      v128.store(g1 + column, a1);
      v128.store(g1 + column, b1, 16);
      v128.store(g2 + column, a2);
      v128.store(g2 + column, b2, 16);
      v128.store(g3 + column, a3);
      v128.store(g3 + column, b3, 16);
    }
  }
  for (; row < size; row++) updateRow(g, v, w, count, row, stride);
}

/** One row of {@link updateRankTwo}, up to the diagonal. */
function updateRow(g: usize, v: usize, w: usize, count: i32, row: i32, stride: i32): void {
  const rowBytes = (<usize>stride) << 3;
  const at = (<usize>row) << 3;
  for (let q = 0; q < count; q++) {
    const vq = v - <usize>q * rowBytes;
    const wq = w + <usize>q * rowBytes;
    addTwoMultiples(g + <usize>row * rowBytes, -load<f64>(vq + at), wq, -load<f64>(wq + at), vq, row + 1);
  }
}

/**
 * Reduces the symmetric G [size, size] to the tridiagonal T = Q' G Q, Q = H_(size-1) ... H_1, H_i = I - tau_i v_i v_i', as
 * LAPACK's dsytrd with its dlatrd panels does: a panel's rank-two updates reach the rows of the panel one by one, the
 * rest of G all at once.
 *
 * Out: v_i (length i, last element 1) in the row i of G; `diagonal` [size]; `offDiagonal` and `tau`, whose element i - 1
 * comes from row i. `work`: panel + 1 rows of `stride`.
 */
export function tridiagonalize(
  g: usize,
  size: i32,
  stride: i32,
  panel: i32,
  diagonal: usize,
  offDiagonal: usize,
  tau: usize,
  work: usize,
): void {
  const rowBytes = (<usize>stride) << 3;
  const p = work + <usize>panel * rowBytes;
  let count = 0;
  let firstV = g + <usize>(size - 1) * rowBytes;
  for (let i = size - 1; i >= 0; i--) {
    const row = g + <usize>i * rowBytes;
    updateRow(g, firstV, work, count, i, stride);
    store<f64>(diagonal + ((<usize>i) << 3), load<f64>(row + ((<usize>i) << 3)));
    if (i == 0) break;

    const last = (<usize>(i - 1)) << 3;
    const t = makeReflector(row, i, offDiagonal + last);
    store<f64>(tau + last, t);

    const w = work + <usize>count * rowBytes;
    multiplySymmetric(p, g, row, i, stride);
    for (let q = 0; q < count; q++) {
      const vq = firstV - <usize>q * rowBytes;
      const wq = work + <usize>q * rowBytes;
      addTwoMultiples(p, -dot(wq, row, i), vq, -dot(vq, row, i), wq, i);
    }
    memory.fill(w, 0, (<usize>i) << 3);
    addTwoMultiples(w, t, p, -0.5 * t * t * dot(p, row, i), row, i);

    if (++count == panel) {
      updateRankTwo(g, firstV, work, count, i, stride);
      count = 0;
      firstV = row - rowBytes;
    }
  }
}

/**
 * Reduces rows x [count, length], count < length, to a lower triangle at their end: row k is overwritten by the v (length
 * length - k, last element 1) of the reflector that leaves its last element only, and each later row is reflected.
 *
 * Out: `tau` [count], and one element more to work with.
 */
export function reduceRows(x: usize, count: i32, length: i32, stride: i32, tau: usize): void {
  const rowBytes = (<usize>stride) << 3;
  const beta = tau + ((<usize>count) << 3);
  for (let k = 0; k < count; k++) {
    const row = x + <usize>k * rowBytes;
    const t = makeReflector(row, length - k, beta);
    store<f64>(tau + ((<usize>k) << 3), t);
    for (let j = k + 1; j < count; j++) {
      const other = x + <usize>j * rowBytes;
      addTwoMultiples(other, -t * dot(other, row, length - k), row, 0, row, length - k);
    }
  }
}

/**
 * Overwrites x [length] by the v of the Householder reflector that maps x to (0, ..., 0, beta) (LAPACK's dlarfg, last
 * element first); stores beta, returns tau.
 */
function makeReflector(x: usize, length: i32, beta: usize): f64 {
  const lastAt = x + ((<usize>(length - 1)) << 3);
  const last = load<f64>(lastAt);
  const rest = dot(x, x, length - 1);
  store<f64>(lastAt, 1);
  if (rest == 0) {
    store<f64>(beta, last);
    return 0;
  }
  const norm = Math.sqrt(last * last + rest);
  const image = last > 0 ? -norm : norm;
  store<f64>(beta, image);
  scale(x, 1 / (last - image), length - 1);
  return (image - last) / image;
}

/**
 * Overwrites the lower triangle of the symmetric C [size, size], whose diagonal is 1, by the L of C = L L', and writes
 * L^-1 to `inverse`, with zeros above the diagonal. A row whose squared pivot is below `tolerance` depends on the rows
 * before it: its row of the inverse becomes zero, and it takes no part in the others.
 *
 * @returns the smallest squared pivot
 */
export function invertCholesky(c: usize, inverse: usize, size: i32, stride: i32, tolerance: f64): f64 {
  const rowBytes = (<usize>stride) << 3;
  let smallest: f64 = 1;
  for (let i = 0; i < size; i++) {
    const row = c + <usize>i * rowBytes;
    const inverseRow = inverse + <usize>i * rowBytes;
    memory.fill(inverseRow, 0, rowBytes);
    for (let j = 0; j < i; j++) {
      const other = c + <usize>j * rowBytes;
      const pivot = load<f64>(other + ((<usize>j) << 3));
      const at = row + ((<usize>j) << 3);
      store<f64>(at, pivot == 0 ? 0 : (load<f64>(at) - dot(row, other, j)) / pivot);
    }
    const pivotAt = row + ((<usize>i) << 3);
    const square = load<f64>(pivotAt) - dot(row, row, i);
    smallest = Math.min(smallest, square);
    if (square < tolerance) {
      memory.fill(row, 0, (<usize>(i + 1)) << 3);
      continue;
    }
    const pivot = Math.sqrt(square);
    store<f64>(pivotAt, pivot);
    let j = 0;
    for (; j + 2 <= i; j += 2) {
      const lower = inverse + <usize>j * rowBytes;
      const at = row + ((<usize>j) << 3);
      addTwoMultiples(inverseRow, -load<f64>(at), lower, -load<f64>(at, 8), lower + rowBytes, j + 2);
    }
    if (j < i) {
      const lower = inverse + <usize>j * rowBytes;
      addTwoMultiples(inverseRow, -load<f64>(row + ((<usize>j) << 3)), lower, 0, lower, i);
    }
    store<f64>(inverseRow + ((<usize>i) << 3), 1);
    scale(inverseRow, 1 / pivot, i + 1);
  }
  return smallest;
}
