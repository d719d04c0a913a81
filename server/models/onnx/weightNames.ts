/**
 * @file The weights of an ONNX graph by what takes them: the module that has each, the axis of its output units, and which are vectors
 * whatever their number of axes.
 */
import type { OnnxNode, OnnxTensor } from '../../formats/onnx.ts';

/** A node that takes a value, as its input of this number. */
export interface Use {
  readonly node: OnnxNode;
  readonly input: number;
}

/** By value. */
export type Uses = ReadonlyMap<string, readonly Use[]>;

export function usesOf(nodes: readonly OnnxNode[]): Uses {
  const uses = new Map<string, Use[]>();
  for (const node of nodes)
    node.inputs.forEach((name, input) => {
      if (name === '') return;
      const known = uses.get(name);
      if (known) known.push({ node, input });
      else uses.set(name, [{ node, input }]);
    });
  return uses;
}

/**
 * The module and the name in it: `layer1.0.conv1` and `weight` for `layer1.0.conv1.weight`. Exporters that change a weight give it a
 * name of their own (`onnx::Conv_193`): the node that takes it then tells the module.
 */
export function layerOf(name: string, uses: readonly Use[]): { layer: string; weight: string } {
  const [, layer, weight] = /^(.+)[./]([^./]+)$/.exec(name) ?? [];
  if (layer !== undefined && weight !== undefined) return { layer, weight };
  return { layer: moduleOf(uses[0].node) ?? name, weight: name };
}

/** The module of a node that PyTorch wrote: `layer1.0.conv1` for `/layer1/layer1.0/conv1/Conv`. */
function moduleOf({ name = '' }: OnnxNode): string | undefined {
  const [start, ...scopes] = name.split('/');
  if (start !== '' || scopes.length < 2) return undefined;
  return scopes.slice(0, -1).reduce((path, scope) => (scope.startsWith(`${path}.`) ? scope : `${path}.${scope}`));
}

/** Inputs of operators that are biases, scales, slopes and initial states. */
const VECTORS: Readonly<Record<string, readonly number[]>> = {
  LSTM: [3, 5, 6],
  GRU: [3, 5],
  RNN: [3, 5],
  Gemm: [2],
  BatchNormalization: [1, 2, 3, 4],
  InstanceNormalization: [1, 2],
  GroupNormalization: [1, 2],
  LayerNormalization: [1, 2],
  PRelu: [1],
};

/**
 * True for a weight of several axes that is added, or scales, and is no matrix: the biases [directions, 2 * gates * units] of an LSTM, or
 * a bias [1, units].
 */
export function isVectorOf(name: string, shape: readonly number[], facts: AxisFacts): boolean {
  const roles = axisRolesOf(name, shape.length, facts);
  if (roles && shape.length > 1) return roles.isBias === true;
  const uses = facts.uses.get(name) ?? [];
  return (
    shape.filter((size) => size > 1).length < 2 || uses.every(({ node, input }) => VECTORS[node.op]?.includes(input))
  );
}

/** What tells the roles of axes: what takes values, and those that are constants. */
export interface AxisFacts {
  readonly uses: Uses;
  readonly constants: ReadonlyMap<string, OnnxTensor>;
}

/** What a weight and its axes are to the operator that multiplies or adds it. */
export interface AxisRoles {
  /** Axis of the output units. */
  readonly output: number;
  /** Axis of the input channels of a convolution. */
  readonly channels?: number | undefined;
  /** Axis of the directions of a recurrent layer, each of which has units of its own. */
  readonly directions?: number | undefined;
  /** The node and the direction that have these units, by a name of the graph, and the gates that each unit has. */
  readonly units?: { readonly of: string; readonly gates: number } | undefined;
  readonly isBias?: boolean | undefined;
  /** Size of the axis of input channels of a convolution that filters each channel by itself. */
  readonly depthwise?: number | undefined;
  /** True for a table whose rows are gathered, and nothing else. */
  readonly isTable?: boolean | undefined;
}

/** Gates of the recurrent operators. */
const GATES: Readonly<Record<string, number>> = { LSTM: 4, GRU: 3, RNN: 1 };

/** What a weight is; undefined where no operator multiplies it, nor adds it as a bias. @param rank number of its axes */
export function axisRolesOf(name: string, rank: number, facts: AxisFacts): AxisRoles | undefined {
  const found = (facts.uses.get(name) ?? []).flatMap(({ node, input }) => rolesInNode(node, input, rank, facts) ?? []);
  const [roles] = found as [AxisRoles | undefined];
  return roles?.isTable && !found.every(({ isTable }) => isTable) ? { ...roles, isTable: false } : roles;
}

function rolesInNode(node: OnnxNode, input: number, rank: number, facts: AxisFacts): AxisRoles | undefined {
  const { op, attributes = {}, outputs } = node;
  const integer = (name: string, usual = 0) => {
    const attribute = attributes[name];
    return attribute !== undefined && 'int' in attribute ? attribute.int : usual;
  };
  const fromStart = (axis: number) => (axis < 0 ? axis + rank : axis);
  /** The roles by what takes the output, whose axis i is that of the weight with the number `axes[i]`. */
  const passed = (axes: readonly (number | undefined)[]): AxisRoles | undefined => {
    const roles = axisRolesOf(outputs[0], axes.length, facts);
    const output = roles && axes[roles.output];
    if (output === undefined) return undefined;
    const ownAxis = (axis: number | undefined) => (axis === undefined ? undefined : axes[axis]);
    return { ...roles, output, channels: ownAxis(roles?.channels), directions: ownAxis(roles?.directions) };
  };
  const units = { of: outputs.find((name) => name !== '') ?? '', gates: GATES[op] ?? 1 };
  const own = Array.from({ length: rank }, (_, axis) => axis);
  switch (op) {
    case 'Conv':
    case 'ConvTranspose': {
      if (input === 2) return { output: 0, units, isBias: true };
      if (input !== 1) return undefined;
      const groups = integer('group', 1);
      // The first has the channels of one group, the other those of all.
      return op === 'Conv'
        ? { output: 0, channels: 1, units, depthwise: groups > 1 ? 1 : undefined }
        : { output: 1, channels: 0, units, depthwise: groups > 1 ? groups : undefined };
    }
    case 'Gemm':
      if (input === 2) return { output: rank - 1, units, isBias: true };
      if (input === 0) return { output: integer('transA') === 0 ? 0 : 1 };
      return { output: integer('transB') === 0 ? 1 : 0, units };
    case 'MatMul':
      return { output: input === 1 ? rank - 1 : rank - 2 };
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      return input >= 1 && input <= 3 ? { output: 1, directions: 0, units, isBias: input === 3 } : undefined;
    case 'Einsum': {
      const output = axisInEinsum(node, input, rank);
      return output === undefined ? undefined : { output };
    }
    case 'Gather':
      return input === 0 ? { output: fromStart(integer('axis')), isTable: true } : undefined;
    case 'Identity':
    case 'Cast':
      return passed(own);
    case 'Concat': {
      const roles = passed(own);
      if (!roles?.units || roles.directions !== fromStart(integer('axis'))) return roles;
      const { of, gates } = roles.units;
      return { ...roles, directions: undefined, units: { of: `${of}:${input}`, gates } };
    }
    case 'Slice':
    case 'Split':
      return input === 0 ? passed(own) : undefined;
    case 'Transpose': {
      const perm = attributes.perm;
      return passed(perm !== undefined && 'ints' in perm ? perm.ints : own.toReversed());
    }
    case 'Unsqueeze':
    case 'Squeeze': {
      const axes = axesOf(node, facts);
      if (!axes) return undefined;
      const whole = op === 'Unsqueeze' ? rank + axes.length : rank;
      const named = new Set(axes.map((axis) => (axis < 0 ? axis + whole : axis)));
      if (op === 'Squeeze') return passed(own.filter((axis) => !named.has(axis)));
      const rest = own.values();
      return passed(Array.from({ length: whole }, (_, axis) => (named.has(axis) ? undefined : rest.next().value)));
    }
    default:
      return undefined;
  }
}

/** Axes that a node names, as an attribute or as a constant. */
function axesOf({ inputs, attributes = {} }: OnnxNode, { constants }: AxisFacts): readonly number[] | undefined {
  const { axes } = attributes;
  if (axes !== undefined && 'ints' in axes) return axes.ints;
  const constant = constants.get(inputs[1] ?? '');
  return constant && Array.from<number | bigint, number>(constant.data, Number);
}

/** The last axis that the operand alone has, and the result. */
function axisInEinsum({ attributes = {}, inputs }: OnnxNode, input: number, rank: number): number | undefined {
  const { equation } = attributes;
  if (equation === undefined || !('string' in equation)) return undefined;
  const [left, result] = equation.string.replace(/\s/g, '').split('->') as [string, string | undefined];
  const terms = left.split(',');
  const term = terms[input];
  if (terms.length !== inputs.length || term.length !== rank || result === undefined) return undefined;
  const others = terms.filter((_, i) => i !== input).join('');
  const axis = [...term].findLastIndex((name) => result.includes(name) && !others.includes(name));
  return axis < 0 ? undefined : axis;
}
