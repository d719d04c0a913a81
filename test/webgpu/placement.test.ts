/** @file No operator of a training step falls back to the processor, which would take its operands over the bus and back. */
import { describe, expect, test } from 'vitest';
import { deviceSessionOptions } from '../../server/compiler/deviceMemory.ts';
import { lowerGraph } from '../../server/compiler/lower/lowerGraph.ts';
import { optimize } from '../../server/compiler/optimize.ts';
import { traceEvaluation, traceTraining } from '../../server/compiler/trace/traceProgram.ts';
import { encodeOnnxModel, type OnnxGraph } from '../../server/formats/onnx.ts';
import { ort } from '../../server/formats/onnxRuntime.ts';
import { updateGraph } from '../../server/optimizers/updateGraph.ts';
import { missingAdapter } from './adapter.ts';
import { networks } from './networks.ts';

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
});
