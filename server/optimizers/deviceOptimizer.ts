/** @file An optimizer whose parameters, gradients and state stay on a device: an update is one run of a graph there. */
import type { DeviceMemory } from '../compiler/deviceMemory.ts';
import { lowerGraph } from '../compiler/lower/lowerGraph.ts';
import { portName } from '../compiler/ports.ts';
import { BoundSession } from '../compiler/session.ts';
import type { Tensor } from '../formats/onnxRuntime.ts';
import { Arena } from '../memory/arena.ts';
import type { OptimizerConfig, TrainingConfig } from '../protocol/experiment/schema.ts';
import { algorithmOf } from './algorithms.ts';
import type { Optimizer } from './optimizer.ts';
import { NORM_PORT, numberPort, updateGraph, updateNumbers } from './updateGraph.ts';

interface DeviceTrainable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly value: Float32Array;
}

/**
 * Allocates the state, for when it is claimed, in the arenas of the parameters.
 * @param memory has the parameters, and from then on the state, too; the gradients of each step are left there
 * @throws DeviceError where the device cannot be used
 */
export async function createDeviceOptimizer(
  config: OptimizerConfig,
  clip: TrainingConfig['clip'],
  memory: DeviceMemory,
  trainables: readonly DeviceTrainable[],
): Promise<Optimizer> {
  const slots = new Map<string, Float32Array>();
  for (const { name, shape, value } of trainables) {
    const arena = Arena.of(value);
    if (arena === undefined) throw new TypeError(`${name} is not in an arena.`);
    for (const [slot, initial] of Object.entries(algorithmOf(config).slots)) {
      const state = arena.float32(value.length).fill(initial);
      slots.set(`${name}/${slot}`, state);
      memory.mirror(portName.slot(`${name}/${slot}`), state, shape);
    }
  }
  const graph = lowerGraph(updateGraph(config, clip, trainables), { device: 'webgpu' });
  const options = { device: 'webgpu', threads: 1, spinning: false } as const;
  return new GraphOptimizer(config, memory, slots, await BoundSession.create(graph, new Map(), options, memory));
}

const NEXT = portName.next('');

class GraphOptimizer implements Optimizer {
  iterations = 0;
  lastGradientNorm: number | undefined;
  readonly slots: ReadonlyMap<string, Float32Array>;
  readonly #config: OptimizerConfig;
  readonly #memory: DeviceMemory;
  readonly #session: BoundSession;

  constructor(
    config: OptimizerConfig,
    memory: DeviceMemory,
    slots: ReadonlyMap<string, Float32Array>,
    session: BoundSession,
  ) {
    this.#config = config;
    this.#memory = memory;
    this.slots = slots;
    this.#session = session;
  }

  async step(learningRate: number): Promise<void> {
    const numbers = updateNumbers(this.#config, { learningRate, iteration: this.iterations + 1 });
    for (const [name, value] of Object.entries(numbers)) this.#session.buffers.get(numberPort(name))?.fill(value);
    const next = await this.#session.run();
    const norm = this.#session.buffers.get(NORM_PORT)?.[0];
    this.lastGradientNorm = norm;
    if (norm !== undefined && !Number.isFinite(norm)) return discard(next);
    this.iterations++;
    for (const [name, tensor] of next) this.#memory.keep(name.slice(NEXT.length), tensor);
  }
}

function discard(tensors: ReadonlyMap<string, Tensor>): void {
  for (const tensor of tensors.values()) tensor.dispose();
}
