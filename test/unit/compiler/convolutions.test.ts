/**
 * @file Convolutions and their gradients in each of the ways that the compiler has for them. The oracle is one of adjoints: of the sum of
 * all products of a convolution's numbers with others (`dy`), each gradient gives the same sum with what it is the gradient of.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { input, make } from '../../../server/compiler/build.ts';
import { channelBlock } from '../../../server/compiler/channelBlock.ts';
import { lowerGraph } from '../../../server/compiler/lower/lowerGraph.ts';
import { windowOutput } from '../../../server/compiler/shapes.ts';
import { BLOCKED_DOMAIN } from '../../../server/compiler/lower/blockedConvolution.ts';
import { evaluateGraph } from './passes/evaluateGraph.ts';
import { expectClose } from './expectClose.ts';

interface Case {
  readonly image: readonly number[];
  /** [filters, channels of a group, ...size] */
  readonly filter: readonly number[];
  readonly stride?: number;
  readonly dilation?: number;
  /** Before all axes, behind all axes. */
  readonly pads?: readonly [number, number];
  readonly groups?: number;
  /** Operators that show which way was taken, where blocks of channels are 8 or 16. */
  readonly forward: string;
  readonly inputGradient: string;
  readonly filterGradient: 'Conv' | 'blocks' | 'products of patches' | 'products of samples' | 'one product';
}

const small = { forward: 'Conv', inputGradient: 'ConvTranspose', filterGradient: 'Conv' } as const;
const inBlocks = { forward: 'blocks', inputGradient: 'blocks', filterGradient: 'products of patches' } as const;
const depthwise = { forward: 'blocks', inputGradient: 'blocks', filterGradient: 'blocks' } as const;
const cases: Readonly<Record<string, Case>> = {
  'few channels': {
    ...{ image: [3, 3, 9, 9], filter: [4, 3, 3, 3], pads: [1, 1] },
    ...{ ...small, filterGradient: 'one product' },
  },
  'few channels, filters of 5 x 5': { image: [3, 3, 9, 9], filter: [4, 3, 5, 5], pads: [2, 2], ...small },
  '16 channels': { image: [4, 16, 12, 12], filter: [32, 16, 3, 3], pads: [1, 1], ...inBlocks },
  '16 channels without a border': { image: [6, 16, 14, 12], filter: [16, 16, 3, 2], ...inBlocks },
  '16 channels with a border on one side': {
    image: [4, 16, 13, 12],
    filter: [16, 16, 3, 3],
    pads: [0, 1],
    ...inBlocks,
  },
  '16 channels, a stride of 2 that leaves a row out': {
    ...{ image: [8, 16, 18, 18], filter: [32, 16, 3, 3], pads: [1, 1], stride: 2 },
    ...{ ...inBlocks, inputGradient: 'ConvTranspose' },
  },
  '16 channels, a dilation of 2': {
    ...{ image: [4, 16, 12, 12], filter: [16, 16, 3, 3], pads: [2, 2], dilation: 2 },
    ...inBlocks,
  },
  '16 channels, filters of 5 x 5': {
    ...{ image: [4, 16, 12, 12], filter: [16, 16, 5, 5], pads: [2, 2] },
    ...inBlocks,
  },
  '16 channels of large images': {
    ...{ image: [2, 16, 24, 22], filter: [16, 16, 3, 3], pads: [1, 1] },
    ...{ ...inBlocks, filterGradient: 'products of samples' },
  },
  '16 samples of 3 channels': {
    ...{ image: [16, 3, 19, 17], filter: [16, 3, 5, 3], pads: [1, 1] },
    ...{ forward: 'Conv', inputGradient: 'ConvTranspose', filterGradient: 'blocks' },
  },
  '32 samples of 32 channels': {
    ...{ image: [32, 32, 8, 8], filter: [48, 32, 3, 3], pads: [1, 1] },
    ...{ ...inBlocks, filterGradient: 'blocks' },
  },
  '16 samples of large images, in bands of rows': {
    ...{ image: [16, 16, 34, 34], filter: [16, 16, 3, 3], pads: [0, 1] },
    ...{ ...inBlocks, filterGradient: 'blocks' },
  },
  '16 samples of large images, a stride of 2 that leaves a row out': {
    ...{ image: [16, 16, 66, 66], filter: [16, 16, 3, 3], pads: [1, 1], stride: 2 },
    ...{ ...inBlocks, inputGradient: 'ConvTranspose', filterGradient: 'blocks' },
  },
  '16 samples, a stride that leaves columns out without a border': {
    ...{ image: [16, 17, 24, 24], filter: [16, 17, 3, 3], stride: 2 },
    ...{ forward: 'Conv', inputGradient: 'ConvTranspose', filterGradient: 'blocks' },
  },
  '13 samples of 17 channels, fewer than a block': {
    ...{ image: [13, 17, 14, 14], filter: [16, 17, 3, 3], pads: [1, 1] },
    ...{ forward: 'Conv', inputGradient: 'Conv', filterGradient: 'blocks' },
  },
  '44 samples and 45 filters, in bands of rows': {
    ...{ image: [44, 32, 22, 22], filter: [45, 32, 3, 3], pads: [1, 1] },
    ...{ forward: 'Conv', inputGradient: 'Conv', filterGradient: 'blocks' },
  },
  '17 channels': {
    ...{ image: [4, 17, 12, 12], filter: [18, 17, 3, 3], pads: [1, 1] },
    ...{ forward: 'Conv', inputGradient: 'Conv', filterGradient: 'products of patches' },
  },
  '16 channels, more filters than positions': {
    ...{ image: [40, 16, 4, 4], filter: [32, 16, 3, 3], pads: [1, 1] },
    ...{ ...inBlocks, filterGradient: 'blocks' },
  },
  'a number a filter, with a stride': {
    ...{ image: [5, 16, 15, 15], filter: [16, 16, 1, 1], stride: 2 },
    ...{ forward: 'Conv', inputGradient: 'ConvTranspose', filterGradient: 'products of samples' },
  },
  'a number a filter, few positions': {
    ...{ image: [40, 16, 4, 4], filter: [16, 16, 1, 1] },
    ...{ forward: 'Conv', inputGradient: 'Conv', filterGradient: 'one product' },
  },
  'a border wider than the filter': {
    ...{ image: [4, 16, 12, 12], filter: [16, 16, 2, 2], pads: [2, 2] },
    ...{ ...inBlocks, inputGradient: 'ConvTranspose' },
  },
  'sequences of 16 channels': {
    ...{ image: [40, 16, 20], filter: [16, 16, 3], pads: [1, 1] },
    ...{ forward: 'Conv', inputGradient: 'Conv', filterGradient: 'products of patches' },
  },
  'a filter a channel': {
    ...{ image: [4, 32, 12, 12], filter: [32, 1, 3, 3], pads: [1, 1], groups: 32 },
    ...depthwise,
  },
  'a filter a channel, without a border': {
    ...{ image: [6, 16, 13, 14], filter: [16, 1, 3, 2], groups: 16 },
    ...depthwise,
  },
  'a filter a channel, a border on one side, a dilation of 2': {
    ...{ image: [6, 16, 14, 14], filter: [16, 1, 3, 3], pads: [0, 2], dilation: 2, groups: 16 },
    ...depthwise,
  },
  'a filter a channel, a stride of 2 that leaves a row out': {
    ...{ image: [8, 16, 18, 18], filter: [16, 1, 3, 3], pads: [1, 1], stride: 2, groups: 16 },
    ...{ ...depthwise, inputGradient: 'ConvTranspose' },
  },
  'a filter a channel, a stride of 3 that leaves two rows out': {
    ...{ image: [16, 16, 21, 21], filter: [16, 1, 4, 4], stride: 3, groups: 16 },
    ...{ ...depthwise, inputGradient: 'ConvTranspose' },
  },
  'a filter a channel, 17 channels': {
    ...{ image: [4, 17, 12, 12], filter: [17, 1, 3, 3], pads: [1, 1], groups: 17 },
    ...small,
  },
  'two filters a channel': {
    ...{ image: [4, 16, 12, 12], filter: [32, 1, 3, 3], pads: [1, 1], groups: 16 },
    ...small,
  },
  groups: { image: [4, 32, 12, 12], filter: [32, 16, 3, 3], pads: [1, 1], groups: 2, ...small },
};

let block = 1;
beforeAll(async () => {
  block = await channelBlock();
});

test('the processor has blocks of channels that are a power of two', () => {
  expect([1, 4, 8, 16, 32]).toContain(block);
});

describe.each(Object.entries(cases))('%s', (_, found) => {
  const { image, filter, stride = 1, dilation = 1, pads = [0, 0], groups = 1 } = found;
  const all = (value: number) => image.slice(2).map(() => value);
  const window = { strides: all(stride), dilations: all(dilation), pads: [...all(pads[0]), ...all(pads[1])] };
  const of = (name: string, shape: readonly number[]) => input(name, { dtype: 'float32', shape });
  const [x, f] = [of('x', image), of('f', filter)];
  const output = windowOutput(window, filter.slice(2), image.slice(2));
  const dy = of('dy', [image[0], filter[0], ...output]);
  const outputs = {
    y: make('Conv', { ...window, groups }, [x, f]),
    dx: make('ConvInputGrad', { ...window, groups, inputSize: image.slice(2) }, [dy, f]),
    df: make('ConvFilterGrad', { ...window, groups, filterSize: filter.slice(2) }, [x, dy]),
  };
  const sources = Object.entries({ 'the image': x, 'the filter': f, 'the gradient': dy });

  test('has the numbers of the plain convolution, and its adjoints', async () => {
    const graph = { outputs: new Map([...Object.entries(outputs), ...sources]) };
    const plain = await evaluateGraph({ outputs: new Map([['y', outputs.y]]) });
    const values = await evaluateGraph(graph, undefined, block);
    const value = (name: string) => values.get(name) as Float32Array;
    expectClose('the convolution', value('y'), plain.get('y') as Float32Array);
    const products = (a: string, b: string) => [...value(a)].map((number, i) => number * value(b)[i]);
    const sum = (terms: readonly number[]) => terms.reduce((total, term) => total + term, 0);
    const terms = products('y', 'the gradient');
    const rounding = 1e-6 * sum(terms.map(Math.abs));
    expect(Math.abs(sum(products('dx', 'the image')) - sum(terms))).toBeLessThan(rounding);
    expect(Math.abs(sum(products('df', 'the filter')) - sum(terms))).toBeLessThan(rounding);
  });

  test('is computed in the way that is the fastest for such shapes', () => {
    const wayOf = (name: keyof typeof outputs) => {
      const { nodes } = lowerGraph({ outputs: new Map([[name, outputs[name]]]) }, { channelBlock: 16 });
      const count = (wanted: string) => nodes.filter(({ op }) => op === wanted).length;
      if (count('FusedMatMul') > 0) return 'products of samples';
      if (count('Gemm') > 0) return count('Gemm') > 1 ? 'products of patches' : 'one product';
      if (nodes.some(({ domain }) => domain === BLOCKED_DOMAIN)) return 'blocks';
      return nodes.find(({ op }) => op.startsWith('Conv'))?.op;
    };
    expect([wayOf('y'), wayOf('dx'), wayOf('df')]).toEqual([found.forward, found.inputGradient, found.filterGradient]);
  });
});
