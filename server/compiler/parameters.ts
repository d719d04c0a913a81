/** @file The weights of a program: those of its model with their gradients, in {@link Arena}s, and those of a frozen model. */
import { elementCount } from '../protocol/shape.ts';
import { formatBytes, formatCount } from '../protocol/formatQuantity.ts';
import { UserError } from '../protocol/userError.ts';
import { ARENA_LIMIT, arenaBytes, createArenas, type Arena } from '../memory/arena.ts';
import { memoryOfMachine } from '../memory/machineMemory.ts';
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
  /** The weights of the program's model, trained or not, in its order. */
  readonly list: readonly Parameter[];
  /** {@link list} by name. */
  readonly byName: ReadonlyMap<string, Parameter>;
  /** The weights of the frozen model in its order: executors read them, and nothing else knows of them. */
  readonly frozen: readonly FrozenParameter[];
  /** An arena with room for each group of {@link ArenaRoom.groups}. */
  readonly groups: readonly Arena[];
  /** Threads that may work in the arenas at once: 1 where these are not shared. */
  readonly threads: number;
}

/** Room in the arenas for what is not a weight or its gradient. */
export interface ArenaRoom {
  /** Bytes beside a trained weight of this length, in its arena: for the state of the optimizer. */
  readonly stateBytes: (length: number) => number;
  /** Bytes of further groups of arrays, each in one arena: for tensors that are trained in the place of weights. Default: none. */
  readonly groups?: readonly number[];
  /** False where gradients are elsewhere: those of the parameters are then empty. Default: true. */
  readonly gradients?: boolean;
  /** Threads that are to work in the arenas, which are then shared. Default: 1. */
  readonly threads?: number;
  /** Bytes of an arena; default: what WebAssembly can address. */
  readonly arenaLimit?: number;
}

export interface FrozenParameter {
  /** As the frozen model has it; a weight of {@link ParameterSet.list} may have the same. */
  readonly name: string;
  readonly value: Float32Array<ArrayBuffer>;
}

/**
 * Copies the weights of a program's model into arenas: a weight, its gradient and the state of its optimizer into one, since a kernel works
 * on them at once. Those of its frozen model stay outside: no optimizer works on them.
 * @param gradientRows number of rows that a step's gradient has, for weights whose gradient is a {@link RowGradient}
 * @throws UserError when one weight is too large for an arena, or all of them for the memory of this machine
 */
export function createParameters(
  { weights, frozen }: Pick<Program, 'weights' | 'frozen'>,
  gradientRows: ReadonlyMap<string, number>,
  room: ArenaRoom,
): ParameterSet {
  const hasGradient = ({ trainable }: ProgramWeight) => trainable && (room.gradients ?? true);
  const width = (weight: ProgramWeight) => elementCount(weight.variable.shape.slice(1));
  const gradientBytes = (weight: ProgramWeight) => {
    const rows = gradientRows.get(weight.name);
    return rows === undefined ? arenaBytes(weight.variable.size) : arenaBytes(rows) + arenaBytes(rows * width(weight));
  };
  const groups = weights.map((weight): Group => {
    const { size, shape } = weight.variable;
    const trained = (hasGradient(weight) ? gradientBytes(weight) : 0) + (weight.trainable ? room.stateBytes(size) : 0);
    return { what: `the weight ${weight.name} [${shape.join(', ')}]`, bytes: arenaBytes(size) + trained };
  });
  const others = (room.groups ?? []).map((bytes): Group => ({
    what: 'what is trained in the place of a weight',
    bytes,
  }));
  const { threads = 1 } = room;
  const arenas = allocateArenas([...groups, ...others], weights, {
    limit: room.arenaLimit ?? ARENA_LIMIT,
    shared: threads > 1,
  });
  const list = weights.map((weight, i): Parameter => {
    const { name, trainable, variable } = weight;
    const arena = arenas[i];
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
    list,
    byName: new Map(list.map((parameter) => [parameter.name, parameter])),
    frozen: (frozen?.weights ?? []).map(createFrozenParameter),
    groups: arenas.slice(weights.length),
    threads,
  };
}

function createFrozenParameter({ name, variable }: FrozenWeight): FrozenParameter {
  return { name, value: new Float32Array(variable.dataSync()) };
}

/** Arrays that share an arena. */
interface Group {
  /** Names them in messages. */
  readonly what: string;
  readonly bytes: number;
}

const REMEDY =
  'Make the model smaller, freeze some of its layers (trainable: false), or use the optimizer "sgd" without momentum.';

function allocateArenas(
  groups: readonly Group[],
  weights: readonly ProgramWeight[],
  { limit, shared }: { readonly limit: number; readonly shared: boolean },
): Arena[] {
  const tooLarge = groups.find(({ bytes }) => bytes > limit);
  if (tooLarge !== undefined)
    throw new UserError(
      `The model is too large: ${tooLarge.what} takes ${formatBytes(tooLarge.bytes)} with its gradient and the state of the optimizer; ` +
        `the limit of one weight is ${formatBytes(limit)}.`,
      { remedy: `Divide it into several weights. ${REMEDY}` },
    );
  const bytes = groups.reduce((sum, group) => sum + group.bytes, 0);
  const count = formatCount(weights.reduce((sum, { variable }) => sum + variable.size, 0));
  const need = `its ${count} weights take ${formatBytes(bytes)} with their gradients and the state of the optimizer`;
  const remedy = `End other programs, or use a machine with more memory. ${REMEDY}`;
  const has = memoryOfMachine();
  if (bytes > has)
    throw new UserError(`There is not enough memory for the model: ${need}; this machine has ${formatBytes(has)}.`, {
      remedy,
    });
  try {
    return createArenas(
      groups.map((group) => group.bytes),
      limit,
      shared,
    );
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError(`There is not enough memory for the model: ${need}.`, { remedy, cause: error });
  }
}
