/** @file The table of methods: what the editor, the command line and the dashboard know of each without training by it. */
import type { Method } from '../schema.ts';
import { custom } from './custom.ts';
import type { MethodFacts, ParameterFacts } from './facts.ts';
import { groupLasso } from './groupLasso.ts';
import { lowRank } from './lowRank.ts';
import { nuclearNorm } from './nuclearNorm.ts';
import { prune } from './prune.ts';
import { quantize } from './quantize.ts';

export const methodFacts: { readonly [M in Method]: MethodFacts } = {
  prune,
  quantize,
  'low-rank': lowRank,
  'nuclear-norm': nuclearNorm,
  'group-lasso': groupLasso,
  custom,
};

export function isMethod(value: unknown): value is Method {
  return typeof value === 'string' && Object.hasOwn(methodFacts, value);
}

/** The names of the methods, in the order in which they are proposed. */
export const methodNames: readonly Method[] = Object.keys(methodFacts).filter(isMethod);

/** True where shapes and settings tell the size of what a method leaves. */
export function isSizePredicted(method: Method): boolean {
  return ['zeros', 'codes', 'factors'].includes(methodFacts[method].leaves);
}

/** The methods whose distortion leaves at once all that it is to leave: the others take something away each time, or are the user's. */
export const oneStepMethods: readonly Method[] = methodNames.filter(isSizePredicted);

/** The parameters of all methods, by name. */
export const parameterFacts: Readonly<Record<string, ParameterFacts>> = Object.fromEntries(
  methodNames.flatMap((method) => Object.entries(methodFacts[method].parameters)),
);
