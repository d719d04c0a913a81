/** @file Vectors of words. */
import { elementCount } from '../../server/protocol/shape.ts';
import { only, type MakeLayer } from './layer.ts';

export const embedding: MakeLayer = (config, store) => {
  if (config.flag('mask_zero', false)) throw config.error('it has mask_zero, and the runtime has no masks');
  const [words, units] = [config.count('input_dim'), config.count('output_dim')];
  const rows = store.weights.rows(store.path, 'embeddings', words, units);
  return {
    isStepwise: true,
    plan(inputs, plan) {
      const { address, shape } = only(config, inputs);
      const count = elementCount(shape);
      const result = plan.tensor([...shape, units]);
      plan.add(() => {
        const numbers = plan.memory.floats(address, count);
        for (let i = 0; i < count; i++) {
          const word = numbers[i];
          if (!Number.isInteger(word) || word < 0 || word >= words)
            throw new RangeError(
              `'${config.name}' has no row ${word}: its inputs are whole numbers from 0 to ${words - 1}.`,
            );
          rows.copyRow(word, result.address + 4 * units * i);
        }
      });
      return result;
    },
  };
};
