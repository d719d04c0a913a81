/** @file Times of ONNX models that take turns in one process, on one thread. */
import { encodeOnnxModel, type OnnxGraph } from '../../server/formats/onnx.ts';
import { ort, type Tensor } from '../../server/formats/onnxRuntime.ts';

interface Timed {
  /** Least milliseconds of a run: what else the machine does makes a run longer, and none shorter. */
  readonly milliseconds: number;
  /** Size of the file. */
  readonly bytes: number;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** @throws Error with the name of a model that ONNX Runtime refuses */
export async function timeInTurns(
  models: Readonly<Record<string, OnnxGraph>>,
  feeds: Record<string, Tensor>,
  rounds: number,
): Promise<Map<string, Timed>> {
  const opened = await Promise.all(
    Object.entries(models).map(async ([name, graph]) => {
      const bytes = encodeOnnxModel(graph);
      const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 } as const;
      const session = await ort.InferenceSession.create(bytes, options).catch((error: unknown) => {
        throw new Error(`ONNX Runtime refuses '${name}'.`, { cause: error });
      });
      return { name, session, bytes: bytes.length, outputs: await session.run(feeds), times: [] as number[] };
    }),
  );
  for (let round = 0; round < rounds; round++) {
    for (const { session, times } of opened) {
      const start = performance.now();
      await session.run(feeds);
      times.push(performance.now() - start);
    }
  }
  for (const { session } of opened) await session.release();
  return new Map(
    opened.map(({ name, bytes, outputs, times }) => [name, { milliseconds: Math.min(...times), bytes, outputs }]),
  );
}
