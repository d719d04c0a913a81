/** @file The weights of a program: those of its model with their gradients, in one {@link Arena}, and those of a frozen model. */
import { elementCount } from '../protocol/shape.ts';
import { formatBytes, formatCount } from '../protocol/formatQuantity.ts';
import { UserError } from '../protocol/userError.ts';
import { Arena, ARENA_LIMIT, arenaBytes } from '../memory/arena.ts';
import type { RowGradient } from '../memory/rowGradient.ts';
import type { FrozenWeight, Program, ProgramWeight } from './program.ts';

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  readonly value: Float32Array<ArrayBuffer>;
  /** The gradient of the last step; empty for a weight that is not trained. */
  readonly gradient: Float32Array<ArrayBuffer> | RowGradient;
}

export interface ParameterSet {
  readonly arena: Arena;
  /** The weights of the program's model, trained or not, in its order. */
  readonly list: readonly Parameter[];
  /** {@link list} by name. */
  readonly byName: ReadonlyMap<string, Parameter>;
  /** The weights of the frozen model in its order: executors read them, and nothing else knows of them. */
  readonly frozen: readonly FrozenParameter[];
}

export interface FrozenParameter {
  /** As the frozen model has it; a weight of {@link ParameterSet.list} may have the same. */
  readonly name: string;
  readonly value: Float32Array<ArrayBuffer>;
}

/**
 * Copies the weights of a program's model into an arena. Those of its frozen model stay outside: no optimizer works on them.
 * @param gradientRows number of rows that a step's gradient has, for weights whose gradient is a {@link RowGradient}
 * @param extraBytes room for what else will be allocated there: optimizer state
 * @param options.withGradients false where gradients are elsewhere: those of the parameters are then empty
 */
export function createParameters(
  { weights, frozen }: Pick<Program, 'weights' | 'frozen'>,
  gradientRows: ReadonlyMap<string, number>,
  extraBytes: number,
  { withGradients } = { withGradients: true },
): ParameterSet {
  const hasGradient = ({ trainable }: ProgramWeight) => trainable && withGradients;
  const width = (weight: ProgramWeight) => elementCount(weight.variable.shape.slice(1));
  const gradientBytes = (weight: ProgramWeight) => {
    const rows = gradientRows.get(weight.name);
    return rows === undefined ? arenaBytes(weight.variable.size) : arenaBytes(rows) + arenaBytes(rows * width(weight));
  };
  const bytes = weights.reduce(
    (sum, weight) => sum + arenaBytes(weight.variable.size) + (hasGradient(weight) ? gradientBytes(weight) : 0),
    extraBytes,
  );
  const arena = createArena(bytes, weights);
  const list = weights.map((weight): Parameter => {
    const { name, trainable, variable } = weight;
    const value = arena.float32(variable.size);
    value.set(variable.dataSync<'float32'>());
    const rows = gradientRows.get(name);
    const gradient =
      rows === undefined
        ? arena.float32(hasGradient(weight) ? variable.size : 0)
        : { indices: arena.int32(rows), values: arena.float32(rows * width(weight)) };
    return { name, shape: variable.shape, trainable, value, gradient };
  });
  return {
    arena,
    list,
    byName: new Map(list.map((parameter) => [parameter.name, parameter])),
    frozen: (frozen?.weights ?? []).map(createFrozenParameter),
  };
}

function createFrozenParameter({ name, variable }: FrozenWeight): FrozenParameter {
  return { name, value: new Float32Array(variable.dataSync()) };
}

/** @throws UserError when the model is too large for an arena, or for the memory of this machine */
function createArena(bytes: number, weights: readonly ProgramWeight[]): Arena {
  const count = formatCount(weights.reduce((sum, { variable }) => sum + variable.size, 0));
  const need = `its ${count} weights take ${formatBytes(bytes)} with their gradients and the state of the optimizer`;
  const remedy =
    'Make the model smaller, freeze some of its layers (trainable: false), or use the optimizer "sgd" without momentum.';
  if (bytes > ARENA_LIMIT)
    throw new UserError(`The model is too large: ${need}; the limit is ${formatBytes(ARENA_LIMIT)}.`, { remedy });
  try {
    return new Arena(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError(`There is not enough memory for the model: ${need}.`, {
      remedy: `End other programs, or use a machine with more memory. ${remedy}`,
      cause: error,
    });
  }
}
