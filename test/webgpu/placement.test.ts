/** @file No operator of a training step falls back to the processor, which would take its operands over the bus and back. */
import { describe, expect, test } from 'vitest';
import { binary, cast, input, make, matmul, reduce, select } from '../../server/compiler/build.ts';
import { deviceSessionOptions } from '../../server/compiler/deviceMemory.ts';
import { lowerGraph } from '../../server/compiler/lower/lowerGraph.ts';
import { optimize } from '../../server/compiler/optimize.ts';
import { traceEvaluation, traceTraining } from '../../server/compiler/trace/traceProgram.ts';
import { encodeOnnxModel, type OnnxGraph } from '../../server/formats/onnx.ts';
import { ort } from '../../server/formats/onnxRuntime.ts';
import { updateGraph } from '../../server/optimizers/updateGraph.ts';
import { missingAdapter } from './adapter.ts';
import { networks } from './networks.ts';
import type { BinaryOp, DType, Node, Shape, UnaryOp } from '../../server/compiler/ir.ts';

const missing = await missingAdapter();

/** ONNX Runtime throws an error that names an operator where one has no kernel on the device. */
async function open(graph: OnnxGraph): Promise<void> {
  const session = await ort.InferenceSession.create(encodeOnnxModel(graph), {
    ...deviceSessionOptions,
    graphOptimizationLevel: 'all',
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
  await session.release();
}

describe.skipIf(missing)(missing ?? 'every operator is computed on the graphics processor', () => {
  test.each(Object.entries(networks))('of %s: step, update and evaluation', async (_, create) => {
    const { program, batchSize, optimizer } = create('whole');
    const parameters = program.weights.map(({ name, variable: { shape } }) => ({ name, shape }));
    for (const graph of [
      await traceTraining(program, batchSize),
      await traceEvaluation(program, batchSize),
      updateGraph(optimizer, { globalNorm: 1 }, parameters),
    ])
      await open(lowerGraph(await optimize(graph), { device: 'webgpu' }));
  });

  test('where it has no kernel, which this test would notice', async () => {
    const { program, batchSize } = networks.LSTM('small');
    const forProcessor = lowerGraph(await optimize(await traceTraining(program, batchSize)));
    await expect(open(forProcessor)).rejects.toThrow(/fallback/i);
  });

  test('but for a few operations, which a user is told of in docs/engine.md', async () => {
    const missing: string[] = [];
    for (const [name, node] of Object.entries(operations())) {
      const graph = lowerGraph({ outputs: new Map([['result', node]]) }, { device: 'webgpu' });
      await open(graph).catch((error: unknown) => {
        expect(String(error)).toMatch(/fallback/i);
        missing.push(name);
      });
    }
    expect(missing).toEqual(['Round', 'ArgMax', 'OneHot', 'MaxPoolGrad']);
  });
});

const UNARY = [
  ...[
    'Abs',
    'Neg',
    'Exp',
    'Log',
    'Sqrt',
    'Sin',
    'Cos',
    'Tan',
    'Asin',
    'Acos',
    'Atan',
    'Sinh',
    'Cosh',
    'Asinh',
    'Acosh',
    'Atanh',
  ],
  ...[
    'Erf',
    'Floor',
    'Ceil',
    'Round',
    'Sign',
    'Relu',
    'Elu',
    'Sigmoid',
    'Tanh',
    'Softplus',
    'Step',
    'NormalCdf',
    'NormalDensity',
  ],
] as UnaryOp[];
const BINARY = [
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Maximum', 'Minimum'],
  ...['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual'],
] as BinaryOp[];

/** An operation of each kind, by its name; those of integers have their type behind it. */
function operations(): Record<string, Node> {
  const value =
    (dtype: DType) =>
    (name: string, shape: Shape = [4, 6]) =>
      input(name, { dtype, shape });
  const [float, integer, truth] = [value('float32'), value('int32'), value('bool')];
  const window = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], filterSize: [2, 2] };
  const image = float('image', [1, 2, 4, 4]);
  return {
    ...Object.fromEntries(UNARY.map((op) => [op, make(op, {}, [float('a')])])),
    ...Object.fromEntries((['Abs', 'Neg', 'Sign'] as const).map((op) => [`${op} int32`, make(op, {}, [integer('a')])])),
    ...Object.fromEntries(BINARY.map((op) => [op, binary(op, float('a'), float('b'))])),
    ...Object.fromEntries(BINARY.map((op) => [`${op} int32`, binary(op, integer('a'), integer('b'))])),
    And: binary('And', truth('a'), truth('b')),
    Or: binary('Or', truth('a'), truth('b')),
    Not: make('Not', {}, [truth('a')]),
    Clip: make('Clip', { minimum: 0, maximum: 1 }, [float('a')]),
    ...Object.fromEntries(
      (['Sum', 'Mean', 'Max', 'Min', 'Prod'] as const).map((op) => [op, reduce(op, float('a'), [1])]),
    ),
    'Sum int32': reduce('Sum', integer('a'), [1]),
    Softmax: make('Softmax', {}, [float('a')]),
    LogSoftmax: make('LogSoftmax', {}, [float('a')]),
    ArgMax: make('ArgMax', { axis: 1 }, [float('a')]),
    CumulativeSum: make('CumulativeSum', { axis: 1, exclusive: false, reverse: false }, [float('a')]),
    TopK: make('TopK', { count: 2, result: 'values' }, [float('a')]),
    Select: select(truth('a'), float('b'), float('c')),
    Cast: cast(truth('a'), 'float32'),
    'Cast int32': cast(float('a'), 'int32'),
    Gather: make('Gather', { axis: 0 }, [float('a'), integer('b', [3])]),
    SegmentSum: make('SegmentSum', { rows: 9, checked: true }, [float('a'), integer('b', [4])]),
    OneHot: make('OneHot', { depth: 5, on: 1, off: 0 }, [integer('a', [4])]),
    MatMul: matmul(float('a', [2, 4, 6]), float('b', [2, 5, 6]), false, true),
    Tile: make('Tile', { repeats: [2, 1] }, [float('a')]),
    Pad: make('Pad', { before: [1, 0], after: [0, 1], value: 0 }, [float('a')]),
    MaxPool: make('MaxPool', window, [image]),
    MaxPoolGrad: make('MaxPoolGrad', window, [image, float('b', [1, 2, 3, 3])]),
    AvgPool: make('AvgPool', window, [image]),
  };
}
