/**
 * @file Trains a network on the processor and by WebGPU, in a process of its own, since the driver of software Vulkan must be in the
 * environment that a process starts with. Arguments: name of the network, its size, steps. Its last line is a {@link DevicesReport}.
 */
import { median } from '../bench.ts';
import { networks } from '../../webgpu/networks.ts';
import { largestDifference, train } from '../../webgpu/train.ts';

export interface DevicesReport {
  /** The largest difference of a weight. */
  readonly difference: number;
  /** Bytes that go to the device and back in a step after the first, those of a batch included. */
  readonly moved: number;
  /** Bytes of what comes with a batch. */
  readonly batch: number;
  /** Bytes of weights and optimizer state, which stay on the device. */
  readonly kept: number;
  /** Losses of the last step. */
  readonly losses: readonly [processor: number, device: number];
  /** Median of the steps; the first, which compile kernels, left out. */
  readonly milliseconds: readonly [processor: number, device: number];
}

const WARM_UP = 3;

const [name, size, count] = process.argv.slice(2);
const steps = Number(count);
const network = networks[name](size === 'small' ? 'small' : 'whole');
const onProcessor = await train(network, { device: 'cpu', keepsWeights: false, steps });
const onDevice = await train(network, {
  ...{ device: 'webgpu', keepsWeights: true, steps },
  onStep: (step) => console.error(`  ${name}: step ${step + 1} of ${steps}`),
});
const report: DevicesReport = {
  difference: largestDifference(onProcessor, onDevice),
  moved: Math.max(...onDevice.traffic.slice(1)),
  batch: onDevice.batch,
  kept: onDevice.kept,
  milliseconds: [onProcessor, onDevice].map(({ milliseconds }) => median(milliseconds.slice(WARM_UP))) as [
    number,
    number,
  ],
  losses: [onProcessor.losses[steps - 1], onDevice.losses[steps - 1]],
};
console.log(JSON.stringify(report));
