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
  if (axisRolesOf(name, shape.length, facts)) return false;
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

/** What the axes of a weight are to the operator that multiplies it. */
export interface AxisRoles {
  /** Axis of the output units. */
  readonly output: number;
  /** Axis of the input channels of a convolution. */
  readonly channels?: number | undefined;
}

/** The roles of the axes of a weight; undefined where no operator multiplies it. @param rank number of its axes */
export function axisRolesOf(name: string, rank: number, facts: AxisFacts): AxisRoles | undefined {
  if (rank < 2) return undefined;
  for (const { node, input } of facts.uses.get(name) ?? []) {
    const roles = rolesInNode(node, input, rank, facts);
    if (roles) return roles;
  }
  return undefined;
}

function rolesInNode(node: OnnxNode, input: number, rank: number, facts: AxisFacts): AxisRoles | undefined {
  const { op, attributes = {}, outputs } = node;
  const integer = (name: string) => {
    const attribute = attributes[name];
    return attribute !== undefined && 'int' in attribute ? attribute.int : 0;
  };
  /** The roles by what takes the output, whose axis i is that of the weight with the number `axes[i]`. */
  const passed = (axes: readonly (number | undefined)[]): AxisRoles | undefined => {
    const roles = axisRolesOf(outputs[0], axes.length, facts);
    const output = roles && axes[roles.output];
    if (output === undefined) return undefined;
    return { output, channels: roles?.channels === undefined ? undefined : axes[roles.channels] };
  };
  const own = Array.from({ length: rank }, (_, axis) => axis);
  switch (op) {
    case 'Conv':
      return input === 1 ? { output: 0, channels: 1 } : undefined;
    case 'ConvTranspose':
      return input === 1 ? { output: 1, channels: 0 } : undefined;
    case 'Gemm':
      if (input > 1) return undefined;
      return { output: (input === 1) === (integer(input === 1 ? 'transB' : 'transA') !== 0) ? 0 : 1 };
    case 'MatMul':
      return { output: input === 1 ? rank - 1 : rank - 2 };
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      return input === 1 || input === 2 ? { output: 1 } : undefined;
    case 'Einsum': {
      const output = axisInEinsum(node, input, rank);
      return output === undefined ? undefined : { output };
    }
    case 'Gather': {
      const axis = integer('axis');
      return input === 0 ? { output: axis < 0 ? axis + rank : axis } : undefined;
    }
    case 'Identity':
    case 'Cast':
    case 'Concat':
      return passed(own);
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
