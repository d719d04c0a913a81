/** @file Inputs and outputs of a model of layers. */
import type { ModelProgram } from '../training/modelProgram.ts';
import type { WrittenModel } from './format.ts';
import { portNames } from './portNames.ts';
import { portName } from '../compiler/ports.ts';

/** Name of the dimension that a model leaves open. */
export const BATCH = 'batch';

/** Names, element types and shapes of a model's inputs and outputs, as a file of it has them; sizes that are open have a name. */
export function portsOf(program: ModelProgram): Pick<WrittenModel, 'inputs' | 'outputs'> {
  const names = portNames(program);
  const { model, inputs } = program;
  const [batch] = model.inputs[0].shape;
  return {
    inputs: inputs.map(({ shape, dtype }, i) => ({
      name: names.get(portName.input(i))!,
      type: dtype,
      shape: [batch ?? BATCH, ...shape],
    })),
    outputs: model.outputs.map(({ shape, dtype }, i) => ({
      name: names.get(portName.output(i))!,
      type: dtype,
      shape: [batch ?? BATCH, ...shape.slice(1).map((size) => size ?? 'any')],
    })),
  };
}
