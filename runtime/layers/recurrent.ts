/** @file LSTM, GRU and the simple recurrent layer, also both ways over a sequence. Gates stand in the order of Keras. */
import { elementCount } from '../../server/protocol/shape.ts';
import { combinations } from '../kernels.ts';
import { LayerConfig } from '../layerConfig.ts';
import type { Matrix } from '../matrices/matrix.ts';
import type { Plan, Tensor } from '../plan.ts';
import { activationOf } from './activations.ts';
import { axes, only, type LayerStore, type MakeLayer, type State } from './layer.ts';

/** One way over a sequence. */
interface Cell {
  /** [features, gates * units] */
  readonly kernel: Matrix;
  readonly bias: number;
  /** The output of the last time step. */
  readonly output: State;
  /** Every state, that one among them. */
  readonly states: readonly State[];
  /** Plans memory of its own. @returns goes on by a time step, whose input times the kernel is at `gates`; those numbers are overwritten */
  advance(plan: Plan): (gates: number) => void;
}

type MakeCell = (config: LayerConfig, store: LayerStore, units: number) => Cell;

/** Product with a recurrent kernel, added to what is at `y`. */
function addProduct(matrix: Matrix, plan: Plan): (x: number, y: number) => void {
  plan.reserveScratch(matrix.scratchBytes(1));
  return (x, y) => matrix.multiply(x, 1, y, y, plan.scratch);
}

/** i, f, g, o: c = f c + i g, h = o f(c) (Hochreiter & Schmidhuber 1997; Gers et al. 2000). */
const lstmCell: MakeCell = (config, store, units) => {
  const recurrent = store.matrix('recurrent_kernel', 4 * units);
  const [activation, gateActivation] = activationsOf(config);
  const [h, c] = [store.state(units), store.state(units)];
  return {
    ...inputOf(config, store, 4 * units),
    output: h,
    states: [h, c],
    advance(plan) {
      const add = addProduct(recurrent, plan);
      const { kernels } = plan;
      const bytes = 4 * units;
      return (gates) => {
        const [i, f, g, o] = [gates, gates + bytes, gates + 2 * bytes, gates + 3 * bytes];
        add(h.address, gates);
        gateActivation(plan, i, 2 * units, units);
        activation(plan, g, units, units);
        gateActivation(plan, o, units, units);
        kernels.combine(combinations.multiply, f, c.address, units, c.address);
        kernels.combine(combinations.multiply, i, g, units, g);
        kernels.combine(combinations.add, c.address, g, units, c.address);
        kernels.copyBlocks(c.address, 0, bytes, 1, h.address, 0);
        activation(plan, h.address, units, units);
        kernels.combine(combinations.multiply, o, h.address, units, h.address);
      };
    },
  };
};

/** z, r, g: h = z h + (1 - z) g, g of r h (Cho et al. 2014). */
const gruCell: MakeCell = (config, store, units) => {
  if (config.flag('reset_after', false)) throw config.error('it has reset_after, which TensorFlow.js has not either');
  const ofGates = store.matrix('recurrent_kernel', 3 * units, { from: 0, to: 2 * units });
  const ofCandidate = store.matrix('recurrent_kernel', 3 * units, { from: 2 * units, to: 3 * units });
  const [activation, gateActivation] = activationsOf(config);
  const h = store.state(units);
  return {
    ...inputOf(config, store, 3 * units),
    output: h,
    states: [h],
    advance(plan) {
      const addGates = addProduct(ofGates, plan);
      const addCandidate = addProduct(ofCandidate, plan);
      const { kernels } = plan;
      const { address: kept } = plan.tensor([units]);
      const bytes = 4 * units;
      return (gates) => {
        const [z, r, g] = [gates, gates + bytes, gates + 2 * bytes];
        addGates(h.address, z);
        gateActivation(plan, z, 2 * units, units);
        kernels.combine(combinations.multiply, r, h.address, units, kept);
        addCandidate(kept, g);
        activation(plan, g, units, units);
        kernels.combine(combinations.subtract, h.address, g, units, h.address);
        kernels.combine(combinations.multiply, z, h.address, units, h.address);
        kernels.combine(combinations.add, g, h.address, units, h.address);
      };
    },
  };
};

/** h = f(x W + h U + b) (Elman 1990). */
const simpleCell: MakeCell = (config, store, units) => {
  const recurrent = store.matrix('recurrent_kernel', units);
  const activation = activationOf(config, 'activation', 'tanh');
  const h = store.state(units);
  return {
    ...inputOf(config, store, units),
    output: h,
    states: [h],
    advance(plan) {
      const add = addProduct(recurrent, plan);
      return (gates) => {
        add(h.address, gates);
        activation(plan, gates, units, units);
        plan.kernels.copyBlocks(gates, 0, 4 * units, 1, h.address, 0);
      };
    },
  };
};

const cells: Readonly<Record<string, MakeCell>> = { LSTM: lstmCell, GRU: gruCell, SimpleRNN: simpleCell };

function activationsOf(config: LayerConfig) {
  return [
    activationOf(config, 'activation', 'tanh'),
    activationOf(config, 'recurrent_activation', 'hardSigmoid'),
  ] as const;
}

function inputOf(config: LayerConfig, store: LayerStore, length: number) {
  return {
    kernel: store.matrix('kernel', length),
    bias: store.bias({ has: config.flag('use_bias', true), length }),
  };
}

/** A cell with the settings of its layer. */
class Recurrence {
  readonly units: number;
  readonly returnsSequences: boolean;
  readonly #config: LayerConfig;
  readonly #cell: Cell;
  readonly #goesBackwards: boolean;

  constructor(config: LayerConfig, store: LayerStore, makeCell: MakeCell) {
    if (config.flag('return_state', false)) throw config.error('it returns its state');
    this.#config = config;
    this.units = config.count('units');
    this.returnsSequences = config.flag('return_sequences', false);
    this.#goesBackwards = config.flag('go_backwards', false);
    this.#cell = makeCell(config, store, this.units);
  }

  /**
   * Adds the way over a sequence [time, features].
   * @param y what to write: the output of each time step, or of the last alone
   * @param width numbers from one output to the next
   * @param reversed outputs stand in the reverse of the order in which they are made
   */
  plan(input: Tensor, plan: Plan, { y, width, reversed }: { y: number; width: number; reversed: boolean }): void {
    const { kernel, bias, output, states, advance } = this.#cell;
    const [time, features] = axes(this.#config, input, 2);
    if (features !== kernel.inputs)
      throw this.#config.error(`its input has the shape [${input.shape}], its kernel ${kernel.inputs} rows`);
    if (plan.isStep) this.#checkStep(plan);
    const isBackwards = this.#goesBackwards;
    const { address: gates } = plan.tensor([time, kernel.outputs]);
    plan.reserveScratch(kernel.scratchBytes(time));
    const step = advance(plan);
    const bytes = 4 * this.units;
    plan.add(() => {
      if (!plan.isStep) for (const { address, length } of states) plan.memory.floats(address, length).fill(0);
      kernel.multiply(input.address, time, bias, gates, plan.scratch);
      for (let i = 0; i < time; i++) {
        const t = isBackwards ? time - 1 - i : i;
        step(gates + 4 * kernel.outputs * t);
        if (this.returnsSequences || i === time - 1) {
          const slot = !this.returnsSequences ? 0 : reversed ? time - 1 - i : i;
          plan.kernels.copyBlocks(output.address, 0, bytes, 1, y + 4 * width * slot, 0);
        }
      }
    });
  }

  #checkStep(plan: Plan): void {
    if (this.#goesBackwards) throw this.#config.error('it goes backwards, and needs the whole sequence');
    if (!plan.isFirstCall(this)) throw this.#config.error('it is called twice, and has one state');
  }
}

const recurrent =
  (makeCell: MakeCell): MakeLayer =>
  (config, store) => {
    const recurrence = new Recurrence(config, store, makeCell);
    const { units } = recurrence;
    return {
      isStepwise: true,
      plan(inputs, plan) {
        const input = only(config, inputs);
        const [time] = input.shape;
        const result = plan.tensor(recurrence.returnsSequences ? [time, units] : [units]);
        recurrence.plan(input, plan, { y: result.address, width: units, reversed: false });
        return result;
      },
    };
  };

/** Two layers over the same sequence, the second in the other direction, with its outputs reversed, and what comes of both. */
const bidirectional: MakeLayer = (config, store) => {
  const inner = new LayerConfig(config.value('layer'));
  const makeCell = Object.hasOwn(cells, inner.className) ? cells[inner.className] : undefined;
  if (!makeCell) throw config.error(`it goes both ways with a layer of the class ${inner.className}`);
  const mode =
    config.value('merge_mode') === null ? 'none' : config.word('merge_mode', ['concat', 'sum', 'mul', 'ave'], 'concat');
  if (mode === 'none') throw config.error('it has two outputs');
  const goesBackwards = inner.flag('go_backwards', false);
  const [forward, backward] = [false, true].map((isOther) => {
    const name = `${isOther ? 'backward' : 'forward'}_${inner.name}`;
    return new Recurrence(inner.with({ name, go_backwards: goesBackwards !== isOther }), store.within(name), makeCell);
  });
  const { units, returnsSequences } = forward;
  return {
    isStepwise: false,
    plan(inputs, plan) {
      const input = only(config, inputs);
      const leading = returnsSequences ? input.shape.slice(0, 1) : [];
      if (mode === 'concat') {
        const result = plan.tensor([...leading, 2 * units]);
        const width = 2 * units;
        forward.plan(input, plan, { y: result.address, width, reversed: false });
        backward.plan(input, plan, { y: result.address + 4 * units, width, reversed: true });
        return result;
      }
      const [a, b] = [forward, backward].map((way) => {
        const result = plan.tensor([...leading, units]);
        way.plan(input, plan, { y: result.address, width: units, reversed: way === backward });
        return result;
      });
      const length = elementCount(a.shape);
      plan.add(() => {
        plan.kernels.combine(
          mode === 'mul' ? combinations.multiply : combinations.add,
          a.address,
          b.address,
          length,
          a.address,
        );
        if (mode === 'ave') plan.kernels.multiplyBy(0.5, a.address, length, a.address);
      });
      return a;
    },
  };
};

export const recurrentLayers: Readonly<Record<string, MakeLayer>> = {
  ...Object.fromEntries(Object.entries(cells).map(([name, makeCell]) => [name, recurrent(makeCell)])),
  Bidirectional: bidirectional,
};
