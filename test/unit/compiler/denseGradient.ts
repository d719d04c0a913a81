import type { Parameter } from '../../../server/compiler/parameters.ts';

/** All elements of a gradient, whether it has them all or only the rows that are not zero. */
export function denseGradient({ value, gradient }: Parameter): Float32Array {
  if (gradient instanceof Float32Array) return gradient;
  const dense = new Float32Array(value.length);
  const width = gradient.values.length / gradient.indices.length;
  gradient.indices.forEach((row, i) => {
    for (let column = 0; column < width; column++) dense[row * width + column] += gradient.values[i * width + column];
  });
  return dense;
}
