/** @file Names of inputs and outputs in an exported file. */
import { portName } from '../compiler/ports.ts';

/** A name that TensorFlow.js made up, and numbers anew in every process: `input1`, `dense_Dense3`, `dense_Dense1_input`. */
const MADE_UP = /^(input\d+|.*_[A-Z]\w*?\d+(_input)?)$/;
/** Names that the graph uses itself. */
const INTERNAL = /^t\d+$/;

/** The model's own names where its author chose them, else `input` and `output`, numbered where there are several; by port. */
export function portNames(inputs: readonly string[], outputs: readonly string[]): Map<string, string> {
  const used = new Set<string>();
  const choose = (names: readonly string[], generic: string) =>
    names.map((name, i) => {
      const numbered = names.length === 1 ? generic : `${generic}_${i + 1}`;
      let chosen = MADE_UP.test(name) || INTERNAL.test(name) ? numbered : name;
      while (used.has(chosen)) chosen += '_';
      used.add(chosen);
      return chosen;
    });
  return new Map([
    ...choose(inputs, 'input').map((name, i) => [portName.input(i), name] as const),
    ...choose(outputs, 'output').map((name, i) => [portName.output(i), name] as const),
  ]);
}
