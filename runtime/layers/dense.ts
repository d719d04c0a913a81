/** @file A dense layer, over the last axis. */
import { elementCount } from '../../server/protocol/shape.ts';
import { activateInPlace, activationOf } from './activations.ts';
import { only, type MakeLayer } from './layer.ts';

export const dense: MakeLayer = (config, store) => {
  const units = config.count('units');
  const matrix = store.matrix('kernel', units);
  const bias = store.bias({ has: config.flag('use_bias', true), length: units });
  const activation = activationOf(config);
  return {
    isStepwise: true,
    plan(inputs, plan) {
      const { shape, address } = only(config, inputs);
      if (shape.at(-1) !== matrix.inputs)
        throw config.error(`its input has the shape [${shape}], its kernel ${matrix.inputs} rows`);
      const leading = shape.slice(0, -1);
      const rows = elementCount(leading);
      const result = plan.tensor([...leading, units]);
      plan.reserveScratch(matrix.scratchBytes(rows));
      plan.add(() => matrix.multiply(address, rows, bias, result.address, plan.scratch));
      activateInPlace(activation, result, plan);
      return result;
    },
  };
};
