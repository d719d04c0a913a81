/** @file The weights of an ONNX graph by what takes them: the module that has each, and the axis of its output units. */
import type { OnnxNode } from '../../formats/onnx.ts';

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

/** The axis of the output units of a weight; undefined where no operator multiplies it. */
export function outputAxisOf(name: string, shape: readonly number[], uses: Uses): number | undefined {
  if (shape.length < 2) return undefined;
  for (const { node, input } of uses.get(name) ?? []) {
    const axis = axisInNode(node, input, shape, uses);
    if (axis !== undefined) return axis;
  }
  return undefined;
}

function axisInNode(node: OnnxNode, input: number, shape: readonly number[], uses: Uses): number | undefined {
  const last = shape.length - 1;
  const { op, attributes = {}, outputs } = node;
  const integer = (name: string) => {
    const attribute = attributes[name];
    return attribute !== undefined && 'int' in attribute ? attribute.int : 0;
  };
  switch (op) {
    case 'Conv':
      return input === 1 ? 0 : undefined;
    case 'ConvTranspose':
      return input === 1 ? 1 : undefined;
    case 'Gemm':
      if (input > 1) return undefined;
      return (input === 1) === (integer(input === 1 ? 'transB' : 'transA') !== 0) ? 0 : 1;
    case 'MatMul':
      return input === 1 ? last : last - 1;
    case 'Gather': {
      const axis = integer('axis');
      return input === 0 ? (axis < 0 ? axis + shape.length : axis) : undefined;
    }
    case 'Identity':
      return outputAxisOf(outputs[0], shape, uses);
    case 'Transpose': {
      const perm = attributes.perm;
      const axes = perm !== undefined && 'ints' in perm ? perm.ints : shape.map((_, axis) => last - axis);
      const axis = outputAxisOf(
        outputs[0],
        axes.map((from) => shape[from]),
        uses,
      );
      return axis === undefined ? undefined : axes[axis];
    }
    default:
      return undefined;
  }
}
