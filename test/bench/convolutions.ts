/**
 * @file A convolution and its two gradients, whose filter changes at each step, as the compiler writes them (server/compiler/lower/),
 * beside the plain way: Conv, ConvTranspose, and for the filter a convolution whose batch and channels have changed places.
 * One thread; the least time of the rounds. `--only TEXT` takes the shapes whose names contain it.
 */
import { input, make } from '../../server/compiler/build.ts';
import { channelBlock } from '../../server/compiler/channelBlock.ts';
import type { Node } from '../../server/compiler/ir.ts';
import { lowerGraph } from '../../server/compiler/lower/lowerGraph.ts';
import type { OnnxGraph, OnnxNode } from '../../server/formats/onnx.ts';
import { ort } from '../../server/formats/onnxRuntime.ts';
import { elementCount } from '../../server/protocol/shape.ts';
import type { Benchmark, Comparison } from './bench.ts';
import { timeInTurns } from './interleaved.ts';

/** No way that is chosen may be slower than the plain one; times differ by a few percent from run to run. */
const NOT_SLOWER = 0.95;

interface Shape {
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  /** Height and width of the image. */
  readonly size: number;
  /** Height and width of the filter. */
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  /** True with one filter for each channel. */
  readonly depthwise: boolean;
}

const shape = (
  batch: number,
  [channels, filters]: readonly [number, number],
  size: number,
  kernel: number,
  { stride = 1, pad = 0, depthwise = false } = {},
): Shape => ({ batch, channels, filters, size, kernel, stride, pad, depthwise });

const shapes: Readonly<Record<string, Shape>> = {
  'ResNet-20, first': shape(64, [3, 16], 32, 3, { pad: 1 }),
  'ResNet-20, 16 channels': shape(64, [16, 16], 32, 3, { pad: 1 }),
  'ResNet-20, halved': shape(64, [16, 32], 32, 3, { pad: 1, stride: 2 }),
  'ResNet-20, 32 channels': shape(64, [32, 32], 16, 3, { pad: 1 }),
  'ResNet-20, 64 channels': shape(64, [64, 64], 8, 3, { pad: 1 }),
  'ResNet-20, shortcut': shape(64, [16, 32], 32, 1, { stride: 2 }),
  'MobileNet, wider': shape(64, [16, 96], 16, 1),
  'MobileNet, narrower': shape(64, [96, 16], 16, 1),
  'MobileNet, depthwise': shape(32, [144, 144], 32, 3, { pad: 1, depthwise: true }),
  'MobileNet, depthwise, halved': shape(32, [144, 144], 32, 3, { pad: 1, stride: 2, depthwise: true }),
  'MobileNet, depthwise, 8 x 8': shape(32, [384, 384], 8, 3, { pad: 1, depthwise: true }),
  'LeNet-5, first': shape(50, [1, 20], 28, 5),
  'LeNet-5, second': shape(50, [20, 50], 12, 5),
  'CIFAR-10 student, second': shape(100, [50, 50], 16, 5, { pad: 2 }),
  '128 channels of 4 x 4': shape(100, [128, 128], 4, 3, { pad: 1 }),
  '256 channels of 8 x 8': shape(50, [256, 256], 8, 3, { pad: 1 }),
  'ResNet-18, first': shape(16, [3, 64], 64, 7, { pad: 3, stride: 2 }),
  'ResNet-18, 64 channels': shape(16, [64, 64], 32, 3, { pad: 1 }),
  'one image': shape(1, [16, 16], 32, 3, { pad: 1 }),
};

const benchmark: Benchmark = {
  options: { rounds: { type: 'string', default: '15' }, only: { type: 'string', default: '' } },
  async run({ rounds, only }) {
    const block = await channelBlock();
    console.log(`  blocks of ${block} channels`);
    const results: Comparison[] = [];
    for (const [name, shape] of Object.entries(shapes).filter(([name]) => name.includes(String(only)))) {
      const { nodes, plain } = waysOf(shape);
      for (const [kind, node] of Object.entries(nodes)) {
        const ours = lowerGraph({ outputs: new Map([['y', node]]) }, { channelBlock: block });
        const theirs = shape.depthwise
          ? lowerGraph({ outputs: new Map([['y', node]]) })
          : graphOf(node, plain[kind as keyof typeof plain]);
        const feeds = Object.fromEntries(
          node.inputs.map((source) => [
            source.op === 'Input' ? source.params.name : '',
            randomTensor(source.type.shape),
          ]),
        );
        const timed = await timeInTurns({ ours, theirs }, feeds, Number(rounds));
        const [found, expected] = [timed.get('ours')!, timed.get('theirs')!];
        checkEqual(`${name}, ${kind}`, found.outputs.y.data as Float32Array, expected.outputs.y.data as Float32Array);
        const ratio = expected.milliseconds / found.milliseconds;
        results.push({
          case: `${name}: ${kind}`,
          rival: 'plain',
          threads: 1,
          ours: found.milliseconds,
          theirs: expected.milliseconds,
          unit: 'ms',
          ratio,
          target: NOT_SLOWER,
        });
      }
    }
    return results;
  },
};

export default benchmark;

/** Operations of the compiler, and the nodes that compute the same in the plain way. */
function waysOf({ batch, channels, filters, size, kernel, stride, pad, depthwise }: Shape) {
  const groups = depthwise ? channels : 1;
  const output = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const of = (name: string, shape: readonly number[]) => input(name, { dtype: 'float32', shape });
  const x = of('x', [batch, channels, size, size]);
  const filter = of('filter', [filters, channels / groups, kernel, kernel]);
  const dy = of('dy', [batch, filters, output, output]);
  const two = (value: number): [number, number] => [value, value];
  const window = { strides: two(stride), dilations: two(1), pads: [...two(pad), ...two(pad)] };
  const nodes = {
    forward: make('Conv', { ...window, groups }, [x, filter]),
    'input gradient': make('ConvInputGrad', { ...window, groups, inputSize: two(size) }, [dy, filter]),
    'filter gradient': make('ConvFilterGrad', { ...window, groups, filterSize: two(kernel) }, [x, dy]),
  } satisfies Record<string, Node>;
  const ints = (values: readonly number[]) => ({ ints: values });
  const attributes = { strides: ints(window.strides), pads: ints(window.pads) };
  const unread = size + 2 * pad - stride * (output - 1) - kernel;
  const exchange = (from: string, to: string): OnnxNode => ({
    op: 'Transpose',
    inputs: [from],
    outputs: [to],
    attributes: { perm: ints([1, 0, 2, 3]) },
  });
  const plain: Record<keyof typeof nodes, readonly OnnxNode[]> = {
    forward: [{ op: 'Conv', inputs: ['x', 'filter'], outputs: ['y'], attributes }],
    'input gradient': [
      {
        op: 'ConvTranspose',
        inputs: ['dy', 'filter'],
        outputs: ['y'],
        attributes: { ...attributes, output_padding: ints(two(unread)) },
      },
    ],
    'filter gradient': [
      exchange('x', 'images'),
      exchange('dy', 'filters'),
      {
        op: 'Conv',
        inputs: ['images', 'filters'],
        outputs: ['wide'],
        attributes: { dilations: ints(window.strides), pads: ints(window.pads) },
      },
      { op: 'Slice', inputs: ['wide', 'begin', 'end', 'axes'], outputs: ['gradient'] },
      exchange('gradient', 'y'),
    ],
  };
  return { nodes, plain };
}

function graphOf(node: Node, nodes: readonly OnnxNode[]): OnnxGraph {
  const value = (name: string, shape: readonly number[]) => ({ name, type: 'float32' as const, shape });
  const integers = (name: string, values: readonly number[]) => ({
    name,
    type: 'int64' as const,
    shape: [values.length],
    data: BigInt64Array.from(values, BigInt),
  });
  const size = node.type.shape.slice(2);
  return {
    inputs: node.inputs.map((source) => value(source.op === 'Input' ? source.params.name : '', source.type.shape)),
    outputs: [value('y', node.type.shape)],
    initializers: [integers('begin', [0, 0]), integers('end', size), integers('axes', [2, 3])],
    nodes,
  };
}

function randomTensor(shape: readonly number[]) {
  return new ort.Tensor(
    'float32',
    Float32Array.from({ length: elementCount(shape) }, () => Math.random() - 0.5),
    shape,
  );
}

/** @throws Error where they differ by more than rounding */
function checkEqual(name: string, found: Float32Array, expected: Float32Array): void {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0);
  if (!(difference <= 1e-4 * largest)) throw new Error(`${name}: the two ways differ by ${difference} of ${largest}.`);
}
