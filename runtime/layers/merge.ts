/** @file Layers with several inputs. */
import { elementCount } from '../../server/protocol/shape.ts';
import { combinations } from '../kernels.ts';
import type { LayerConfig } from '../layerConfig.ts';
import type { Plan, Tensor } from '../plan.ts';
import type { MakeLayer } from './layer.ts';
import { gatherTensor, stridesOf } from './movement.ts';

const combining =
  (kind: number, isMean = false): MakeLayer =>
  (config) => ({
    isStepwise: true,
    plan(inputs, plan) {
      if (inputs.length < 2) throw config.error('it has fewer than two inputs');
      const shape = commonShape(config, inputs);
      const tensors = inputs.map((input) => spread(input, shape, plan));
      const length = elementCount(shape);
      const result = plan.tensor(shape);
      plan.add(() => {
        let sum = tensors[0].address;
        for (const { address } of tensors.slice(1)) {
          plan.kernels.combine(kind, sum, address, length, result.address);
          sum = result.address;
        }
        if (isMean) plan.kernels.multiplyBy(1 / tensors.length, sum, length, sum);
      });
      return result;
    },
  });

/** A size of 1 stands for any; inputs with fewer axes are not taken. */
function commonShape(config: LayerConfig, inputs: readonly Tensor[]): number[] {
  const shapes = inputs.map(({ shape }) => shape);
  const common = shapes[0].map((_, axis) => Math.max(...shapes.map((shape) => shape[axis])));
  const fits = (shape: readonly number[]) =>
    shape.length === common.length && shape.every((size, axis) => size === 1 || size === common[axis]);
  if (!shapes.every(fits))
    throw config.error(`its inputs have the shapes ${shapes.map((shape) => `[${shape}]`).join(' and ')}`);
  return common;
}

function spread(input: Tensor, shape: readonly number[], plan: Plan): Tensor {
  if (elementCount(input.shape) === elementCount(shape)) return input;
  const strides = stridesOf(input.shape);
  return gatherTensor(plan, input, shape, (position) =>
    position.reduce((sum, at, axis) => sum + (input.shape[axis] === 1 ? 0 : at * strides[axis]), 0),
  );
}

const concatenate: MakeLayer = (config) => ({
  isStepwise: true,
  plan(inputs, plan) {
    const [{ shape: first }] = inputs;
    const written = config.number('axis', -1);
    // The batch is axis 0.
    const axis = written < 0 ? first.length + written : written - 1;
    const fits = ({ shape }: Tensor) =>
      shape.length === first.length && shape.every((size, i) => i === axis || size === first[i]);
    if (!(axis in first) || !inputs.every(fits))
      throw config.error(
        `inputs of the shapes ${inputs.map(({ shape }) => `[${shape}]`).join(' and ')} cannot be joined along axis ${written}`,
      );
    if (plan.isStep && axis === 0 && first.length > 1)
      throw config.error('it joins sequences, which have to be there as a whole');
    const size = inputs.reduce((sum, { shape }) => sum + shape[axis], 0);
    const result = plan.tensor(first.map((old, i) => (i === axis ? size : old)));
    const count = elementCount(first.slice(0, axis));
    const stride = 4 * elementCount(result.shape.slice(axis));
    let to = result.address;
    const copies = inputs.map(({ address, shape }) => {
      const bytes = 4 * elementCount(shape.slice(axis));
      const copy = { address, bytes, to };
      to += bytes;
      return copy;
    });
    plan.add(() => {
      for (const { address, bytes, to } of copies) plan.kernels.copyBlocks(address, bytes, bytes, count, to, stride);
    });
    return result;
  },
});

export const mergeLayers: Readonly<Record<string, MakeLayer>> = {
  Add: combining(combinations.add),
  Subtract: combining(combinations.subtract),
  Multiply: combining(combinations.multiply),
  Maximum: combining(combinations.maximum),
  Minimum: combining(combinations.minimum),
  Average: combining(combinations.add, true),
  Concatenate: concatenate,
};
