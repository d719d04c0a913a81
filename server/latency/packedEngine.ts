/** @file A packed file, run on its compressed weights. */
import { readFile } from 'node:fs/promises';
import { loadModel } from '../../runtime/index.ts';
import { elementCount } from '../protocol/shape.ts';
import { closedShape, inputNumbers, type Engine } from './engine.ts';

/** @param shapes of the inputs of a sample, where they are known */
export async function openPacked(path: string, shapes: readonly (readonly number[])[] | undefined): Promise<Engine> {
  const model = await loadModel(await readFile(path));
  const sample = model.inputs.map(({ shape: [, ...shape] }, i) => closedShape(shape, shapes?.[i]));
  // The runtime takes an input for one sample where a size is open.
  const together = model.inputs.every(({ shape: [, ...shape] }) => shape.every((size) => size !== null));
  return {
    sample,
    weightBytes: model.memory.weights,
    hasWords: undefined,
    prepare(samples, words) {
      const inputs = sample.map((shape) => inputNumbers(samples * elementCount(shape), words));
      if (together) return () => model.predict(...inputs);
      const each = Array.from({ length: samples }, (_, i) =>
        inputs.map((numbers) => numbers.subarray((i * numbers.length) / samples, ((i + 1) * numbers.length) / samples)),
      );
      return () => {
        for (const one of each) model.predict(...one);
      };
    },
  };
}
