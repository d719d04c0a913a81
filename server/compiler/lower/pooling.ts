/** @file The gradient of max pooling in forward operators: ONNX Runtime's inference build has no gradient kernels. */
import { elementCount } from '../../protocol/shape.ts';
import type { NodeOf } from '../ir.ts';
import type { Emitter, OnnxName } from './emitter.ts';
import { windowAttributes } from './window.ts';

/** Adds each output's gradient at the index of the maximum that MaxPool reports. */
export function lowerMaxPoolGrad(
  node: NodeOf<'MaxPoolGrad'>,
  [x, dy]: readonly OnnxName[],
  emitter: Emitter,
): OnnxName {
  const { params, type } = node;
  const [, indices] = emitter.emitMany('MaxPool', [x], 2, {
    ...windowAttributes(params),
    kernel_shape: { ints: params.filterSize },
  });
  const zeros = emitter.emit('Expand', [emitter.scalar(0, 'float32'), emitter.integers([elementCount(type.shape)])]);
  const scattered = emitter.emit(
    'ScatterElements',
    [zeros, emitter.reshape(indices, [-1]), emitter.reshape(dy, [-1])],
    {
      reduction: { string: 'add' },
    },
  );
  return emitter.reshape(scattered, type.shape);
}
