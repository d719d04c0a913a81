/**
 * @file Whole networks trained by WebGPU and on the processor from the same weights: how far their weights are apart after 50 steps, and what
 * goes to the device and back; `--size small` takes them in the widths of the tests. On the software Vulkan of Chromium where there is one; `--machine` takes the graphics processor of the machine.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { softwareVulkan } from '../../scripts/softwareVulkan.js';
import { networks } from '../webgpu/networks.ts';
import { beside, type Benchmark, type Result } from './bench.ts';
import { bundleContender } from './child.ts';
import type { DevicesReport } from './contenders/trainOnDevices.ts';
import { cacheFolder } from './prepare.ts';

/** The largest difference of a weight. */
const TOLERANCE = 1e-3;

function measure(
  script: string,
  name: string,
  { size, steps }: { readonly size: string; readonly steps: number },
  environment: Readonly<Record<string, string>>,
): Result {
  const { status, stdout } = spawnSync(process.execPath, [script, name, size, String(steps)], {
    ...{ encoding: 'utf8', env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'inherit'] },
  });
  if (status !== 0) throw new Error(`${name} could not be trained on both devices.`);
  const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as DevicesReport;
  const { difference, moved, batch, kept, losses, milliseconds } = report;
  console.log(
    `  ${name}: losses after ${steps} steps ${losses.map((loss) => loss.toFixed(4)).join(' and ')}; a step takes ` +
      `${milliseconds.map((time) => time.toFixed(2)).join(' ms on the processor and ')} ms on the device; it moves ${moved} bytes, of which a batch has ${batch}; ${kept} bytes stay on the device`,
  );
  return beside(TOLERANCE, name, difference, 'largest difference');
}

export default {
  options: {
    network: { type: 'string' },
    size: { type: 'string', default: 'whole' },
    steps: { type: 'string', default: '50' },
    machine: { type: 'boolean', default: false },
  },
  async run(options) {
    const names = options.network === undefined ? Object.keys(networks) : String(options.network).split(',');
    const unknown = names.find((name) => !(name in networks));
    if (unknown !== undefined)
      throw new Error(`There is no network '${unknown}': the networks are ${Object.keys(networks).join(', ')}.`);
    const size = String(options.size);
    if (size !== 'small' && size !== 'whole') throw new Error(`--size is 'small' or 'whole', not '${size}'.`);
    const script = join(cacheFolder('.'), 'trainOnDevices.mjs');
    await bundleContender(join('test', 'bench', 'contenders', 'trainOnDevices.ts'), script);
    const environment = options.machine === true ? {} : softwareVulkan();
    return names.map((name) => measure(script, name, { size, steps: Number(options.steps) }, environment));
  },
} satisfies Benchmark;
