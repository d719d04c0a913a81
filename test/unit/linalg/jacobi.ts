/** @file Singular values by one-sided Jacobi rotations, in float64: the slow, independent reference of the property tests. */

/** All min(rows, columns) singular values of a row-major matrix, descending (Golub & Van Loan, Matrix Computations, 8.6.3). */
export function jacobiSingularValues(data: ArrayLike<number>, rows: number, columns: number): number[] {
  const wide = rows <= columns;
  const vectors = Array.from({ length: wide ? rows : columns }, (_, i) =>
    Array.from({ length: wide ? columns : rows }, (_, j) => (wide ? data[i * columns + j] : data[j * columns + i])),
  );
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i], 0);
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
        for (let i = 0; i < vectors[p].length; i++) {
          const x = vectors[p][i];
          const y = vectors[q][i];
          vectors[p][i] = cosine * x - sine * y;
          vectors[q][i] = sine * x + cosine * y;
        }
      }
    }
  }
  return vectors.map((vector) => Math.sqrt(dot(vector, vector))).sort((x, y) => y - x);
}
