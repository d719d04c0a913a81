/** @file Names of the inputs and outputs of a program's graphs. */

/**
 * Names of graph inputs and outputs: `input:0`, `target:0`, `state:LAYER:0` come in; `loss`, `loss:PART`, `share:NAME`, `gradient:WEIGHT`,
 * `rows:WEIGHT` (indices of the rows of a sparse gradient),
 * `update:WEIGHT` (new value of a weight that the step assigns: a moving average), `next-state:LAYER:0` and `metric:0`
 * go out, of a prediction `output:0`, and `indices:0` (what a lookup takes of a table, to be checked). A weight or layer of a frozen model has the name
 * that `frozenName` gives it: `parameter:frozen:WEIGHT`. An update by the optimizer has `parameter:WEIGHT` and `slot:WEIGHT/SLOT` come in
 * and, behind `next-`, go out.
 */
export const portName = {
  parameter: (weight: string) => `parameter:${weight}`,
  input: (index: number) => `input:${index}`,
  target: (index: number) => `target:${index}`,
  loss: 'loss',
  lossPart: (part: string) => `loss:${part}`,
  share: (name: string) => `share:${name}`,
  gradient: (weight: string) => `gradient:${weight}`,
  rows: (weight: string) => `rows:${weight}`,
  update: (weight: string) => `update:${weight}`,
  state: (layer: string, index: number) => `state:${layer}:${index}`,
  indices: (lookup: number) => `indices:${lookup}`,
  output: (index: number) => `output:${index}`,
  metric: (index: number) => `metric:${index}`,
  slot: (slot: string) => `slot:${slot}`,
  next: (port: string) => `next-${port}`,
} as const;

const KEPT = /^(?:(?:next-)?(?:parameter|slot)|gradient|update):/;

/** True for the weights, gradients and optimizer state, which a device keeps from run to run. */
export const isKept = (port: string): boolean => KEPT.test(port);
