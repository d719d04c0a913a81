/**
 * @file Table 2 of the DeepTwist paper: LeNet-5's test accuracy over the distortion step S_D, all else equal. The paper
 * finds it flat up to about 100 and clearly worse at 500.
 */
import type { Benchmark } from './bench.ts';
import { accuracyBeside, runExperiments } from './experiments.ts';

const DISTORTION_STEPS = [1, 2, 5, 10, 50, 100, 200, 500];
/** The distortion step that the others are compared with: the paper's choice for LeNet-5. */
const REFERENCE = 10;

export default {
  options: { seeds: { type: 'string', default: '1' } },
  async run({ seeds }) {
    const count = Number(seeds);
    const results = await runExperiments(
      DISTORTION_STEPS.flatMap((every) =>
        Array.from({ length: count }, (_, index) => ({
          name: `S_D ${every}`,
          file: 'examples/mnist/lenet-5-prune.deeptwist.jsonc',
          overrides: [`compression.distortEvery=${every}`],
          seed: index + 1,
        })),
      ),
    );
    const own = (every: number) => results.filter(({ name }) => name === `S_D ${every}`);
    return DISTORTION_STEPS.map((every) =>
      accuracyBeside(`LeNet-5, S_D ${every}`, `S_D ${REFERENCE}`, own(every), own(REFERENCE), every <= 100 ? 0.998 : 0),
    );
  },
} satisfies Benchmark;
