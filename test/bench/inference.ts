/**
 * @file One input through the compressed models of inferenceModels.ts in the runtime, against the dense model in ONNX Runtime, one
 * thread each. And the bytes that the runtime holds of the weights, against those of the packed file.
 */
import { loadModel } from '../../runtime/index.ts';
import { encodeOnnxModel } from '../../server/formats/onnx.ts';
import { ort } from '../../server/formats/onnxRuntime.ts';
import { beside, measureAll, type Benchmark, type Case, type Result } from './bench.ts';
import { openInOnnxRuntime, openInRuntime } from './inferenceContenders.ts';
import { checkAgreement, fileOf, inferenceWorks, packedBytes, type Work } from './inferenceModels.ts';

/** What the runtime may hold of the weights, as a part of the packed file. */
const MEMORY = 1.2;
/** Both compute in float32, in another order; the sums of codes have 21 bits. */
const TOLERANCE = 1e-5;

function caseOf(work: Work, { rounds, inputs }: { rounds: number; inputs: number }): Case {
  const { name, target, x } = work;
  let expected: Float32Array | undefined;
  return {
    ...{ name, threads: 1, unit: 'µs', better: 'lower', target, rounds },
    ours: async () => {
      const model = await openInRuntime({ loadModel }, fileOf(work), x, work.isSequence);
      expected = model.first;
      return {
        name: 'deeptwist/runtime',
        description: { packedBytes: packedBytes(work), weightBytes: model.weightBytes },
        round: () => model.round(inputs),
        close: () => model.close(),
      };
    },
    rivals: Object.entries(work.graphs).map(([way, graph]) => async () => {
      const model = await openInOnnxRuntime(ort, encodeOnnxModel(graph), graph.inputs, work.result, x);
      if (expected) checkAgreement(expected, model.first, `${name}, ${way}`, TOLERANCE);
      return {
        name: `ONNX Runtime, dense, ${way}`,
        description: { threads: 1 },
        round: () => model.round(inputs),
        close: () => model.close(),
      };
    }),
  };
}

async function memoryOf(work: Work): Promise<Result> {
  const model = await loadModel(fileOf(work));
  const held = model.memory.weights / 1e3;
  model.dispose();
  return beside((MEMORY * packedBytes(work)) / 1e3, `${work.name}: weights in memory`, held, 'kB');
}

export default {
  options: { rounds: { type: 'string', default: '15' }, inputs: { type: 'string', default: '200' } },
  async run({ rounds, inputs }) {
    const works = inferenceWorks();
    const sizes = { rounds: Number(rounds), inputs: Number(inputs) };
    const results: Result[] = await measureAll(works.map((work) => caseOf(work, sizes)));
    for (const work of works) results.push(await memoryOf(work));
    return results;
  },
} satisfies Benchmark;
