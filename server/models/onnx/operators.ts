/** @file The operators of ONNX that are computed here, by their names in the standard domain. */
import type { Operator, Operators } from './nodeCall.ts';
import { convolutionOperators } from './operators/convolution.ts';
import { einsumOperators } from './operators/einsum.ts';
import { elementwiseOperators } from './operators/elementwise.ts';
import { indexingOperators } from './operators/indexing.ts';
import { knownOperators } from './operators/known.ts';
import { linearOperators } from './operators/linear.ts';
import { movementOperators } from './operators/movement.ts';
import { normalizationOperators } from './operators/normalization.ts';
import { poolingOperators } from './operators/pooling.ts';
import { recurrentOperators } from './operators/recurrent.ts';
import { reductionOperators } from './operators/reduction.ts';
import { resizeOperators } from './operators/resize.ts';
import { sequenceOperators } from './operators/sequence.ts';

const operators: Operators = {
  ...elementwiseOperators,
  ...linearOperators,
  ...einsumOperators,
  ...convolutionOperators,
  ...poolingOperators,
  ...normalizationOperators,
  ...reductionOperators,
  ...recurrentOperators,
  ...movementOperators,
  ...indexingOperators,
  ...resizeOperators,
  ...sequenceOperators,
};

/** @param isKnown true where all inputs are known numbers; undefined for an operator that is not computed here */
export function operatorOf(op: string, isKnown: boolean): Operator | undefined {
  if (isKnown && Object.hasOwn(knownOperators, op)) return knownOperators[op];
  return Object.hasOwn(operators, op) ? operators[op] : undefined;
}

/** True for an operator that is computed here, be it of known numbers alone. */
export function hasOperator(op: string): boolean {
  return Object.hasOwn(operators, op) || Object.hasOwn(knownOperators, op);
}

/** In alphabetical order. */
export const operatorNames: readonly string[] = [
  ...new Set([...Object.keys(operators), ...Object.keys(knownOperators)]),
].sort();
