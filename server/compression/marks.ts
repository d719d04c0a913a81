/** @file Marks of the entries of a weight: 1 for what stays, 0 for what is pruned. */

/** Makes zero what is marked by 0, in place. */
export function clearUnmarked(values: Float32Array, marks: Uint8Array): void {
  // As bits, all of them or none: a branch, which nobody can predict, takes twice as long.
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) bits[i] &= -marks[i];
}
