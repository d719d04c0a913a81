/** @file Names of inputs and outputs in an exported file. */
import { portName } from '../compiler/ports.ts';
import { madeUpName } from '../protocol/model/madeUpNames.ts';
import type { ModelProgram } from '../training/modelProgram.ts';

/**
 * The model's own names where its author chose them, else `input` and `output`, numbered where there are several; by port. The names of a
 * graph that came from a file are its own, whatever they are.
 */
export function portNames({
  inputNames,
  outputNames,
  hasNamesOfFile,
}: Pick<ModelProgram, 'inputNames' | 'outputNames' | 'hasNamesOfFile'>): Map<string, string> {
  const used = new Set<string>();
  const choose = (names: readonly string[], generic: string) =>
    names.map((name, i) => {
      const numbered = names.length === 1 ? generic : `${generic}_${i + 1}`;
      const chosen = unusedName(hasNamesOfFile || !isMadeUp(name) ? name : numbered, used);
      used.add(chosen);
      return chosen;
    });
  return new Map([
    ...choose(inputNames, 'input').map((name, i) => [portName.input(i), name] as const),
    ...choose(outputNames, 'output').map((name, i) => [portName.output(i), name] as const),
  ]);
}

/** True for a name that differs from process to process: also that of an input, `input1`, `dense_Dense1_input`. */
function isMadeUp(name: string): boolean {
  return /^input[1-9]\d*$/.test(name) || madeUpName(name.replace(/_input$/, '')) !== undefined;
}

/** The name, with as many underscores behind it as make it another one than all that are used. */
export function unusedName(name: string, used: ReadonlySet<string>): string {
  let unused = name;
  while (used.has(unused)) unused += '_';
  return unused;
}
