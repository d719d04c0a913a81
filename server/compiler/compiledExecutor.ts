/** @file Runs a program's traced graphs in ONNX Runtime, on the weights in place. */
import { availableParallelism } from 'node:os';
import { formatBytes, formatCount } from '../protocol/formatQuantity.ts';
import { elementCount } from '../protocol/shape.ts';
import type { Seeding } from '../formats/random.ts';
import { channelBlock } from './channelBlock.ts';
import { DeviceMemoryError, type Device } from './device.ts';
import { DeviceMemory } from './deviceMemory.ts';
import { frozenName } from './frozenModel.ts';
import { topologicalOrder, type Graph, type Node, type NodeOf } from './ir.ts';
import { checkIndices, watchIndices, type WatchedIndices } from './indexBounds.ts';
import { feedName, lowerGraph } from './lower/lowerGraph.ts';
import { optimize, type PassName } from './optimize.ts';
import { outOfMemory } from './outOfMemory.ts';
import { createParameters, type ArenaRoom, type ParameterSet } from './parameters.ts';
import { sumColumnsByProducts } from './passes/columnSums.ts';
import { splitRowGradients } from './passes/rowGradients.ts';
import { joinScalesAndShifts } from './passes/scaleShift.ts';
import { zeroNodes } from './passes/zeros.ts';
import { portName } from './ports.ts';
import type { Evaluation, Executor, Program, ProgramWeight, StepBatch, StepLoss } from './program.ts';
import { EVALUATION_STEP, fillRandom } from './randomTensors.ts';
import { acceptsSharedTensors } from './sharedTensors.ts';
import { BoundSession, type Buffer, type SessionOptions } from './session.ts';
import { unreachedWeights } from './trace/layerErrors.ts';
import { traceEvaluation, traceTraining } from './trace/traceProgram.ts';

export interface ExecutorOptions extends ArenaRoom {
  /** Samples of every batch of training. */
  batchSize: number;
  seed: number;
  /** How random numbers are seeded; default: as in new runs. */
  seeding?: Seeding;
  /** Default: by the work in a step and the machine. */
  threads?: number;
  /** True where the optimizer takes the gradient of an embedding as rows. */
  rowGradients: boolean;
  /** Default: 'cpu'. */
  device?: Device;
  /**
   * True where weights, gradients and optimizer state stay on a device other than the processor from step to step: gradients are then
   * not among the parameters, and the optimizer works on {@link CompiledExecutor.memory}.
   */
  keepsWeights?: boolean;
  /** True where the weights are updated, so that more threads than one may work on them, as `parameters.threads` tells. Default: false. */
  updates?: boolean;
  /** Passes to leave out, to measure what they give. */
  skippedPasses?: ReadonlySet<PassName>;
}

/** Below this many multiplications in matrix products a step is too small to be shared between threads. */
const LEAST_SHARED_WORK = 2e6;
/** Below this many weights an update is too short to be shared between threads. */
const LEAST_SHARED_WEIGHTS = 2 ** 23;
/** More threads than this do not pay on the small matrices that are trained here. */
const MOST_THREADS = 8;

/** Steps of which the fastest counts: the first sets kernels up. */
const TIMED_STEPS = 4;

/** A graph's session and what it needs beside the weights. */
interface BoundGraph {
  readonly session: BoundSession;
  readonly randoms: readonly NodeOf<'Random'>[];
  readonly watched: readonly WatchedIndices[];
  /** The tensor with the most numbers; without the nodes that it is computed from, whose constants would stay in memory. */
  readonly largest: Pick<Node, 'type' | 'layer'>;
}

type Stream = 'training' | 'evaluation';

type NamedBuffer = readonly [name: string, buffer: Buffer];

export class CompiledExecutor implements Executor {
  readonly description: string;
  readonly device: Device;
  readonly parameters: ParameterSet;
  /** The memory of the device, where weights, gradients and optimizer state stay there. */
  readonly memory: DeviceMemory | undefined;
  readonly #program: Program;
  readonly #options: ExecutorOptions;
  readonly #sessionOptions: Required<SessionOptions>;
  readonly #training: BoundGraph;
  readonly #evaluations = new Map<string, Promise<BoundGraph>>();
  /** What a step tells beside its loss, by name. */
  readonly #parts: readonly NamedBuffer[];
  readonly #shares: readonly NamedBuffer[];
  readonly #states: Record<Stream, Map<string, Float32Array<ArrayBuffer>>>;

  private constructor(
    program: Program,
    options: ExecutorOptions,
    parameters: ParameterSet,
    training: BoundGraph,
    sessionOptions: Required<SessionOptions>,
    memory: DeviceMemory | undefined,
  ) {
    this.#program = program;
    this.#options = options;
    this.parameters = parameters;
    this.#training = training;
    this.#sessionOptions = sessionOptions;
    const { threads } = sessionOptions;
    this.memory = memory;
    this.device = sessionOptions.device;
    const where = memory ? 'weights stay there' : 'weights and optimizer on the processor';
    this.description =
      this.device === 'webgpu'
        ? `ONNX Runtime on the graphics processor (WebGPU), ${where}`
        : `ONNX Runtime on the processor, ${threads} thread${threads === 1 ? '' : 's'}`;
    this.#parts = buffersNamed(training.session, portName.lossPart(''));
    this.#shares = buffersNamed(training.session, portName.share(''));
    const states = [...training.session.buffers].filter(([name]) => name.startsWith('state:'));
    this.#states = {
      training: new Map(states.map(([name, buffer]) => [name, buffer as Float32Array<ArrayBuffer>])),
      evaluation: new Map(states.map(([name, { length }]) => [name, new Float32Array(length)])),
    };
  }

  /**
   * @throws UnsupportedKernel when the program does something that the compiler cannot express, DeviceError where the device cannot be
   * used
   */
  static async create(program: Program, options: ExecutorOptions): Promise<CompiledExecutor> {
    const trained = program.weights.filter((weight) => weight.trainable);
    const traced = await optimize(await traceTraining(program, options.batchSize), options.skippedPasses);
    const zeros = zeroNodes(traced);
    const isUnreached = ({ name }: { name: string }) => zeros.has(traced.outputs.get(portName.gradient(name))!);
    if (trained.length > 0 && trained.every(isUnreached)) throw unreachedWeights();
    const { device = 'cpu' } = options;
    const keepsWeights = device === 'webgpu' && (options.keepsWeights ?? false);
    const { graph, rows } =
      options.rowGradients && !keepsWeights
        ? splitRowGradients(
            traced,
            trained.map(({ name }) => name),
          )
        : { graph: traced, rows: new Map<string, number>() };
    const threads = options.threads ?? (device === 'cpu' ? defaultThreads(graph) : 1);
    const dense = trained.filter(({ name }) => !rows.has(name));
    const sharesArenas = options.updates && device === 'cpu' && threads > 1 && (await paysInThreads(dense));
    const parameters = createParameters(program, rows, {
      ...options,
      gradients: !keepsWeights,
      threads: sharesArenas ? threads : 1,
    });
    const memory = keepsWeights ? memoryOf(parameters, program) : undefined;
    const sessionOptions = { device, threads, spinning: threads > 1 };
    const training = await bindGraph(graph, parameters, new Map(), sessionOptions, memory);
    return new CompiledExecutor(program, options, parameters, training, sessionOptions, memory);
  }

  get states(): ReadonlyMap<string, Float32Array> {
    return this.#states.training;
  }

  async step(batch: StepBatch, step: number): Promise<StepLoss> {
    const { session, randoms, watched } = this.#training;
    if (batch.size !== this.#options.batchSize)
      throw new RangeError(`A batch of ${batch.size}, compiled for ${this.#options.batchSize}.`);
    feed(session, batch);
    draw(session, randoms, this.#options, step);
    const left = await run(this.#training, { work: 'a training step', batch });
    for (const [name, tensor] of left) this.memory?.keep(keptAs(name), tensor);
    checkIndices(watched, session.buffers, batch);
    for (const [name, buffer] of session.buffers) {
      if (name.startsWith(UPDATE)) this.parameters.byName.get(name.slice(UPDATE.length))?.value.set(buffer);
    }
    this.#carryStates(session, 'training');
    return {
      loss: (session.buffers.get(portName.loss) as Float32Array)[0],
      parts: scalarsOf(this.#parts),
      shares: scalarsOf(this.#shares),
    };
  }

  async evaluate(batch: StepBatch): Promise<Evaluation> {
    const graph = await this.#evaluation(batch);
    const { session, randoms, watched } = graph;
    feed(session, batch);
    // A model that is random also in inference mode draws the same numbers in every evaluation.
    draw(session, randoms, this.#options, EVALUATION_STEP);
    await run(graph, { work: 'an evaluation', batch });
    checkIndices(watched, session.buffers, batch);
    this.#carryStates(session, 'evaluation');
    const value = (name: string) => (session.buffers.get(name) as Float32Array)[0];
    return {
      loss: value(portName.loss),
      metrics: this.#program.metrics.map((_, index) => value(portName.metric(index))),
    };
  }

  /** Seconds of a forward and backward pass, the least of some; no weight is changed. */
  async timeStep(): Promise<number> {
    let least = Infinity;
    for (let i = 0; i < TIMED_STEPS; i++) {
      const start = performance.now();
      for (const tensor of (await this.#training.session.run()).values()) tensor.dispose();
      least = Math.min(least, performance.now() - start);
    }
    return least / 1000;
  }

  async claimWeights(): Promise<void> {
    await this.memory?.claim();
  }

  resetStates(stream: Stream): void {
    for (const state of this.#states[stream].values()) state.fill(0);
  }

  async dispose(): Promise<void> {
    await this.memory?.dispose();
    await this.#training.session.release();
    for (const evaluation of this.#evaluations.values()) await (await evaluation).session.release();
  }

  #evaluation({ size, samples = size }: StepBatch): Promise<BoundGraph> {
    const key = `${samples} of ${size}`;
    let evaluation = this.#evaluations.get(key);
    if (evaluation === undefined) {
      evaluation = traceEvaluation(this.#program, size, samples)
        .then((graph) => optimize(graph, this.#options.skippedPasses))
        .then((graph) => bindGraph(graph, this.parameters, this.#states.evaluation, this.#sessionOptions, this.memory));
      this.#evaluations.set(key, evaluation);
    }
    return evaluation;
  }

  #carryStates(session: BoundSession, stream: Stream): void {
    for (const [name, state] of this.#states[stream]) {
      const next = session.buffers.get(portName.next(name));
      if (next !== undefined) state.set(next);
    }
  }
}

const UPDATE = portName.update('');

/** The name under which a device keeps what a step leaves there. */
function keptAs(port: string): string {
  return port.startsWith(UPDATE) ? portName.parameter(port.slice(UPDATE.length)) : port;
}

/** The place of a model's weights on a device. */
function memoryOf({ list, frozen }: ParameterSet, program: Program): DeviceMemory {
  const memory = new DeviceMemory();
  for (const { name, value, shape } of list) memory.mirror(portName.parameter(name), value, shape);
  frozen.forEach(({ name, value }, i) => {
    const shape = program.frozen?.weights[i].variable.shape ?? [];
    memory.constant(portName.parameter(frozenName(name)), value, shape);
  });
  return memory;
}

/** The buffers of ports that begin so, by the rest of their names. */
function buffersNamed({ buffers }: BoundSession, prefix: string): NamedBuffer[] {
  return [...buffers].flatMap(([name, buffer]): NamedBuffer[] =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), buffer]] : [],
  );
}

function scalarsOf(named: readonly NamedBuffer[]): Record<string, number> {
  return Object.fromEntries(named.map(([name, buffer]) => [name, buffer[0]]));
}

async function bindGraph(
  graph: Graph,
  parameters: ParameterSet,
  states: ReadonlyMap<string, Buffer>,
  sessionOptions: SessionOptions,
  memory: DeviceMemory | undefined,
): Promise<BoundGraph> {
  const bound = new Map<string, Buffer>(states);
  for (const { name, value, gradient } of parameters.list) {
    bound.set(portName.parameter(name), value);
    if (gradient instanceof Float32Array) {
      bound.set(portName.gradient(name), gradient);
    } else {
      bound.set(portName.gradient(name), gradient.values);
      bound.set(portName.rows(name), gradient.indices);
    }
  }
  for (const { name, value } of parameters.frozen) bound.set(portName.parameter(frozenName(name)), value);
  const { device } = sessionOptions;
  const checked = watchIndices(device === 'cpu' ? sumColumnsByProducts(joinScalesAndShifts(graph)) : graph);
  const nodes = topologicalOrder(graph);
  // It takes a session of its own to find: time that a start without convolutions does not need.
  const isBlocked = device === 'cpu' && nodes.some(({ op }) => op === 'Conv' || op === 'ConvInputGrad');
  const target = { device, channelBlock: isBlocked ? await channelBlock() : 1 };
  const session = await BoundSession.create(lowerGraph(checked.graph, target), bound, sessionOptions, memory);
  const randoms = nodes.filter((node): node is NodeOf<'Random'> => node.op === 'Random');
  const { type, layer } = nodes.reduce((most, node) => (sizeOf(node) > sizeOf(most) ? node : most));
  return { session, randoms, watched: checked.watched, largest: { type, layer } };
}

/** @throws UserError where there is not enough memory for what the session computes */
async function run(
  { session, largest }: BoundGraph,
  { work, batch }: { readonly work: string; readonly batch: StepBatch },
): ReturnType<BoundSession['run']> {
  try {
    return await session.run();
  } catch (error) {
    const what = `${work} of ${samplesText(batch)}`;
    if (!(error instanceof DeviceMemoryError)) throw outOfMemory(error, what) ?? error;
    const { message, remedy } = error;
    const where = largest.layer === undefined ? '' : `, of the layer '${largest.layer}'`;
    const bytes = formatBytes(sizeOf(largest) * Float32Array.BYTES_PER_ELEMENT);
    throw new DeviceMemoryError(`${message} The largest tensor of ${what} takes ${bytes}${where}.`, {
      ...(remedy !== undefined && { remedy }),
      cause: error,
    });
  }
}

const sizeOf = ({ type }: Pick<Node, 'type'>) => elementCount(type.shape);

const samplesText = ({ size }: StepBatch) => `${formatCount(size)} sample${size === 1 ? '' : 's'}`;

function feed(session: BoundSession, batch: StepBatch): void {
  batch.inputs.forEach((values, index) => session.buffers.get(portName.input(index))?.set(values));
  batch.targets.forEach((values, index) => session.buffers.get(portName.target(index))?.set(values));
}

function draw(
  session: BoundSession,
  randoms: BoundGraph['randoms'],
  { seed, seeding }: ExecutorOptions,
  step: number,
): void {
  for (const node of randoms) {
    const { distribution, stream } = node.params;
    fillRandom(session.buffers.get(feedName(node)) as Float32Array, distribution, { seed, seeding, step, stream });
  }
}

/** Multiplications in the matrix products and convolutions of a graph. */
function matrixWork(graph: Graph): number {
  return topologicalOrder(graph).reduce((sum, node) => {
    const outputs = elementCount(node.type.shape);
    switch (node.op) {
      case 'MatMul': {
        const [a] = node.inputs;
        return sum + outputs * (a.type.shape.at(node.params.transposeA ? -2 : -1) ?? 1);
      }
      case 'Conv':
      case 'ConvInputGrad':
        return sum + outputs * elementCount(node.inputs[1].type.shape.slice(1));
      case 'ConvFilterGrad':
        return sum + outputs * elementCount([node.inputs[1].type.shape[0], ...node.inputs[1].type.shape.slice(2)]);
      default:
        return sum;
    }
  }, 0);
}

/** True where several threads can update the weights, and there are so many of them that it is worth it. */
async function paysInThreads(weights: readonly ProgramWeight[]): Promise<boolean> {
  const numbers = weights.reduce((sum, { variable }) => sum + variable.size, 0);
  return numbers >= LEAST_SHARED_WEIGHTS && (await acceptsSharedTensors());
}

function defaultThreads(graph: Graph): number {
  return matrixWork(graph) < LEAST_SHARED_WORK ? 1 : Math.min(availableParallelism(), MOST_THREADS);
}
