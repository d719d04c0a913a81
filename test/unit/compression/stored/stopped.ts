/** @file Weights that are trained as a whole, and with a stop in the middle. */
import type { Compressor } from '../../../../server/compression/compressor.ts';
import type { TrainedWeight } from '../trainedWeight.ts';

interface Training {
  /** The same weights at each call. */
  make(): readonly TrainedWeight[];
  compressorOf(weights: readonly TrainedWeight[]): Compressor;
  step(compressor: Compressor, weights: readonly TrainedWeight[], at: number): Promise<unknown>;
}

interface Stopped {
  readonly whole: readonly TrainedWeight[];
  /** The weights that went on from the checkpoint, and what compresses them. */
  readonly resumed: readonly TrainedWeight[];
  readonly compressor: Compressor;
}

/** Trains weights from step 1 to `end`, and the same ones with a new compressor after step `at`, which has the state of the first. */
export async function trainStopped(
  { make, compressorOf, step }: Training,
  { at, end }: { at: number; end: number },
): Promise<Stopped> {
  const train = async (weights: readonly TrainedWeight[], from: number, to: number, state?: Compressor['state']) => {
    const compressor = compressorOf(weights);
    if (state) compressor.restore(state);
    for (let now = from; now <= to; now++) await step(compressor, weights, now);
    return compressor;
  };
  const whole = make();
  await train(whole, 1, end);
  const resumed = make();
  const { state } = await train(resumed, 1, at);
  return { whole, resumed, compressor: await train(resumed, at + 1, end, structuredClone(state)) };
}
