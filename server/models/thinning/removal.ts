/**
 * @file The units of a model that can be removed without changing what it puts out. A unit can be where every kernel that reads
 * it either reads a constant, which its bias can have instead, or has no weights but 0 for it in what stays.
 */
import { eachConnection } from '../topology/connections.ts';
import { valuesOf, type Constants, type Weights } from '../topology/constants.ts';
import { constantsOf, type Reading, type Signal, type Topology } from '../topology/topology.ts';
import type { Units } from '../topology/units.ts';

export interface Removal {
  /** True for a unit that stays. */
  stays(unit: number): boolean;
  /** What kernels read that can go, by kernel: the constant at each place, NaN where nothing is added to the bias. */
  readonly folded: ReadonlyMap<string, Constants>;
  /** Units that look superfluous and stay all the same. */
  readonly kept: readonly KeptUnits[];
}

export interface KeptUnits {
  /** Path of the layer. */
  readonly layer: string;
  readonly units: number;
  /** A clause about them: "they are outputs of the model". */
  readonly reason: string;
}

/** A kernel with what it reads. */
interface Read {
  readonly reading: Reading;
  readonly inputs: Units;
  readonly outputs: Units;
  /** The constant that all calls of the layer read at each place; NaN where there is none. */
  readonly constants: Constants;
  /** [outputs, inputs]: 1 where there is a weight other than 0. */
  readonly connected: Uint8Array;
}

export function planRemoval(topology: Topology, weights: Weights): Removal {
  const { groups } = topology;
  const constants = constantsOf(topology, weights);
  const reads = [...topology.readings.values()].map((reading) => readOf(reading, topology, weights, constants));
  const staying = new StayingUnits(topology, reads);
  for (const group of groups.groups()) {
    const obstacle = groups.obstacleOf(group);
    if (obstacle !== undefined) staying.add(group, obstacle);
  }
  for (const axes of topology.axes.values())
    for (const units of axes)
      if (units && units.length > 0 && units.every((unit) => !staying.has(unit)))
        staying.add(units[0], 'a layer has at least one unit');
  return {
    stays: (unit) => staying.has(unit),
    folded: new Map(reads.map((read) => [read.reading.kernel, foldedBy(read)])),
    kept: keptUnits(topology, reads, constants, staying),
  };
}

function readOf(
  reading: Reading,
  { axes }: Topology,
  weights: Weights,
  constants: ReadonlyMap<Signal, Constants>,
): Read {
  const [inputs, outputs] = [reading.axes.input, reading.axes.output].map((axis) => axes.get(reading.kernel)![axis]!);
  const read = reading.signals.map((signal) => constants.get(signal));
  const kernel = valuesOf(weights, reading.kernel);
  const connected = new Uint8Array(outputs.length * inputs.length);
  eachConnection(reading.shape, reading.axes, (index, input, output) => {
    if (kernel[index] !== 0) connected[output * inputs.length + input] = 1;
  });
  return {
    reading,
    inputs,
    outputs,
    constants: Float32Array.from(inputs, (_, place) => {
      const [first, ...others] = read.map((values) => values?.[place] ?? NaN);
      return others.every((value) => value === first) ? first : NaN;
    }),
    connected,
  };
}

/** The places of inputs that have a weight other than 0 for a place of the outputs. */
function connectedTo({ connected, inputs }: Read, output: number): number[] {
  const row = connected.subarray(output * inputs.length, (output + 1) * inputs.length);
  return Array.from(row.keys()).filter((input) => row[input] === 1);
}

/** True where the bias of the kernel's layer can have what stands at a place of its inputs. */
function canFold({ constants, reading }: Read, place: number): boolean {
  const constant = constants[place];
  return constant === 0 || (!Number.isNaN(constant) && !reading.hasBorder);
}

function foldedBy(read: Read): Constants {
  return read.constants.map((constant, place) => (canFold(read, place) ? constant : NaN));
}

/** Groups of units that stay, and why. */
class StayingUnits {
  readonly #reasons = new Map<number, string>();
  readonly #topology: Topology;
  /** By group: the kernels that make it, and the places at which. */
  readonly #makers = new Map<number, { read: Read; place: number }[]>();

  constructor(topology: Topology, reads: readonly Read[]) {
    this.#topology = topology;
    for (const read of reads)
      read.outputs.forEach((unit, place) => {
        const group = topology.groups.groupOf(unit);
        const makers = this.#makers.get(group);
        if (makers) makers.push({ read, place });
        else this.#makers.set(group, [{ read, place }]);
      });
  }

  has(unit: number): boolean {
    return this.#reasons.has(this.#topology.groups.groupOf(unit));
  }

  reasonOf(unit: number): string {
    return this.#reasons.get(this.#topology.groups.groupOf(unit)) ?? '';
  }

  /** Also all that a unit is made of, as far as that cannot be in a bias. */
  add(unit: number, reason: string): void {
    const { groups } = this.#topology;
    const waiting: [group: number, reason: string][] = [[groups.groupOf(unit), reason]];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [group, why] = next;
      if (this.#reasons.has(group)) continue;
      this.#reasons.set(group, why);
      for (const { read, place } of this.#makers.get(group) ?? [])
        for (const input of connectedTo(read, place))
          if (!canFold(read, input)) waiting.push([groups.groupOf(read.inputs[input]), this.#readBy(read, input)]);
    }
  }

  #readBy({ reading, constants, inputs }: Read, place: number): string {
    const [reader] = reading.paths;
    if (!Number.isNaN(constants[place])) return `${reader} pads its input with zeros, and they put out another number`;
    const meeting = this.#topology.groups.meetingOf(inputs[place]);
    return meeting === undefined
      ? `${reader} reads what varies`
      : `they meet others in ${meeting}, which do not put out the same for every sample`;
  }
}

/** Units that look superfluous and stay, layer by layer and by reason: those that put out a constant, or have no weight but 0. */
function keptUnits(
  { producers, groups }: Topology,
  reads: readonly Read[],
  constants: ReadonlyMap<Signal, Constants>,
  staying: StayingUnits,
): KeptUnits[] {
  /** Units with a weight other than 0. */
  const weighted = new Set(
    reads.flatMap((read) => read.outputs.filter((_, place) => connectedTo(read, place).length > 0)),
  );
  return producers.flatMap(({ layer, units, signals, notConstant }) => {
    const hasKernel = reads.some(({ reading }) => reading.paths.includes(layer));
    const counts = new Map<string, number>();
    units.forEach((unit, place) => {
      const isConstant = signals.length > 0 && signals.every((signal) => isConstantAt(constants.get(signal), place));
      const isWithoutWeights = hasKernel && !weighted.has(unit);
      if (!staying.has(unit) || !(isConstant || isWithoutWeights)) return;
      const ofLayer = isConstant || groups.obstacleOf(unit) !== undefined ? undefined : notConstant;
      const reason = ofLayer ?? staying.reasonOf(unit);
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    });
    return Array.from(counts, ([reason, count]) => ({ layer, units: count, reason }));
  });
}

function isConstantAt(constants: Constants | undefined, place: number): boolean {
  return constants !== undefined && !Number.isNaN(constants[place]);
}
