/** @file The names of the built-in models, `builtin:NAME`, for who names a model without making it. */

export const builtinNames = [
  'lenet-300-100',
  'lenet-5',
  'lstm-lm-small',
  'lstm-lm-medium',
  'lstm-lm-large',
  'lstm-lm-300',
] as const;
export type BuiltinName = (typeof builtinNames)[number];
