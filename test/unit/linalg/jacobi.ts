/** @file Singular values by one-sided Jacobi rotations, in float64: the slow, independent reference of the property tests. */

/** All min(rows, columns) singular values of a row-major matrix, descending (Golub & Van Loan, Matrix Computations, 8.6.3). */
export function jacobiSingularValues(data: ArrayLike<number>, rows: number, columns: number): number[] {
  return orthogonalize(data, rows, columns)
    .vectors.map(lengthOf)
    .sort((x, y) => y - x);
}

/** The matrix with `map` of each singular value in its place, row-major. */
export function jacobiMapped(
  data: ArrayLike<number>,
  rows: number,
  columns: number,
  map: (singularValue: number) => number,
): number[] {
  const { vectors, rotation } = orthogonalize(data, rows, columns);
  const scaled = vectors.map((vector) => {
    const length = lengthOf(vector);
    const factor = length === 0 ? 0 : map(length) / length;
    return vector.map((value) => factor * value);
  });
  // The rows of the shorter side were rotated: they are turned back.
  const shorter = rotation[0].map((_, i) =>
    scaled[0].map((__, j) => rotation.reduce((sum, row, k) => sum + row[i] * scaled[k][j], 0)),
  );
  return Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return rows <= columns ? shorter[row][column] : shorter[column][row];
  });
}

const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i], 0);
const lengthOf = (vector: number[]) => Math.sqrt(dot(vector, vector));

/** Turns the rows of the shorter side until they are orthogonal. @returns these and the rotation, whose rows are orthonormal */
function orthogonalize(
  data: ArrayLike<number>,
  rows: number,
  columns: number,
): { vectors: number[][]; rotation: number[][] } {
  const wide = rows <= columns;
  const vectors = Array.from({ length: wide ? rows : columns }, (_, i) =>
    Array.from({ length: wide ? columns : rows }, (_, j) => (wide ? data[i * columns + j] : data[j * columns + i])),
  );
  const rotation = vectors.map((_, i) => vectors.map((__, j) => (i === j ? 1 : 0)));
  // A product below it is one of rounding errors: of the vectors that a deficient rank leaves over.
  const negligible = 1e-24 * vectors.reduce((sum, vector) => sum + dot(vector, vector), 0);
  for (let rotated = true; rotated;) {
    rotated = false;
    for (let p = 0; p < vectors.length; p++) {
      for (let q = p + 1; q < vectors.length; q++) {
        const a = dot(vectors[p], vectors[p]);
        const b = dot(vectors[q], vectors[q]);
        const c = dot(vectors[p], vectors[q]);
        if (Math.abs(c) <= 1e-14 * Math.sqrt(a * b) || Math.abs(c) <= negligible) continue;
        rotated = true;
        const zeta = (b - a) / (2 * c);
        const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, tangent);
        const sine = cosine * tangent;
        for (const turned of [vectors, rotation])
          for (let i = 0; i < turned[p].length; i++) {
            const x = turned[p][i];
            const y = turned[q][i];
            turned[p][i] = cosine * x - sine * y;
            turned[q][i] = sine * x + cosine * y;
          }
      }
    }
  }
  return { vectors, rotation };
}
