/** @file Layers that bring several tensors together. */
import { common, type Constants } from '../constants.ts';
import type { Rule } from '../layerCall.ts';
import type { Units } from '../units.ts';

/** A function of the numbers at the same place. */
export type Merge = 'add' | 'average' | 'multiply' | 'maximum' | 'minimum';

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

const functions: Readonly<Record<Merge, (values: readonly number[]) => number>> = {
  add: sum,
  average: (values) => sum(values) / values.length,
  // A product with 0 is 0, whatever the others are.
  multiply: (values) => (values.includes(0) ? 0 : values.reduce((product, value) => product * value, 1)),
  maximum: (values) => Math.max(...values),
  minimum: (values) => Math.min(...values),
};

/** Merges several tensors place by place; one of a single place counts at every place. */
export function mergedConstants(inputs: readonly Constants[], merge: Merge): Constants {
  const places = Math.max(...inputs.map(({ length }) => length));
  return Float32Array.from({ length: places }, (_, place) =>
    functions[merge](inputs.map((constants) => (constants.length === 1 ? constants[0] : constants[place]))),
  );
}

/** One behind the other. */
export function joined(inputs: readonly Constants[]): Constants {
  return Float32Array.from(inputs.flatMap((constants) => [...constants]));
}

/** Units that meet at a place go together: a residual sum. */
export function merging(merge: Merge): Rule {
  return (call) => {
    const all = call.inputs.map(({ units }) => units);
    if (!all.every((units) => units !== undefined)) return call.stops(`${call.path} has an open number of units`);
    const places = Math.max(...all.map(({ length }) => length));
    const wide = all.filter(({ length }) => length === places);
    for (const units of wide) call.unite(wide[0], units);
    for (const units of all) if (units.length < places) call.keep(units, `${call.path} combines them with all others`);
    return call.returns([wide[0]], (constants) => [mergedConstants(constants, merge)]);
  };
}

export const concatenate: Rule = (call) => {
  const all = call.inputs.map(({ units }) => units);
  if (!all.every((units) => units !== undefined)) return call.stops(`${call.path} has an open number of units`);
  const { length } = call.shapes[0];
  const axis = Number(call.setting('axis') ?? -1);
  if ((axis + length) % length === length - 1) return call.returns([all.flat()], (constants) => [joined(constants)]);
  for (const units of all) call.unite(all[0], units);
  return call.returns([all[0]], (constants) => [samePlaces(all[0], constants)]);
};

/** What stands at the same place of all tensors, where it is the same. */
function samePlaces(units: Units, inputs: readonly Constants[]): Constants {
  return Float32Array.from(units, (_, place) => common(inputs.map((constants) => constants[place])));
}
