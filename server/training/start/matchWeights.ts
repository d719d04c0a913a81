/**
 * @file Finds the weight of a model for each tensor of a file. By its name as it is; else by layer and module, whose names may differ in
 * what is in front of all of them (`module.`), in case, and in `.`, `/` and `_`; else, for layers that nothing names, by the place that
 * Keras counts, where all places fit; else by kind and shape in the order of both, where there are as many of them in the file as in
 * the model, and the file tells their order.
 */
import type { RenamedWeight } from '../../models/pytorchWeights.ts';
import { groupBy } from '../../protocol/groupBy.ts';
import type { NamedTensor } from './renameTensors.ts';

export interface FittedWeight {
  readonly renamed: RenamedWeight;
  /** One, or the two biases of a recurrent module. */
  readonly tensors: readonly NamedTensor[];
  /** True where the tensors have the axes of PyTorch's module, false where those of the layer. */
  readonly isPytorch: boolean;
  readonly by: 'name' | 'order';
}

export interface Match {
  readonly fitted: readonly FittedWeight[];
  /** Pairs by name whose shapes differ: the shape that the tensor should have. */
  readonly misshapen: readonly {
    readonly renamed: RenamedWeight;
    readonly tensor: NamedTensor;
    readonly shape: readonly number[];
  }[];
  /** Weights of the model that the file has nothing for. */
  readonly missing: readonly RenamedWeight[];
  /** Tensors that the model has no weight for. */
  readonly unused: readonly NamedTensor[];
}

/** The names of parameters in PyTorch's modules. Everything else has the axes of the layer that it is for. */
const PARAMETER = /^(?:weight|bias|running_mean|running_var)$/;
const RECURRENT = /^(weight|bias)_(ih|hh)(?:_l(\d+)(_reverse)?)?$/;
/** It is added to the first: a module without it is none of another kind. */
const SECOND_BIAS = 'bias_hh_l0';
/** Batches that a normalization has seen, which no layer counts. */
const COUNTER = /(^|\.)num_batches_tracked$/;

/** The tensors of a module, or the weights of a layer. A recurrent module of several layers and directions is as many of these. */
interface Unit<T> {
  readonly path: readonly string[];
  /** `0`, `1_reverse`: which part of a recurrent module; empty for any other. */
  readonly part: string;
  readonly members: ReadonlyMap<string, T>;
}
type Source = Unit<NamedTensor>;
type Target = Unit<RenamedWeight>;

/** @param places for each layer its place as Keras counts it in a file without names: `dense[1]` */
export function matchWeights(
  weights: readonly RenamedWeight[],
  tensors: readonly NamedTensor[],
  places: ReadonlyMap<string, string> = new Map(),
): Match {
  const matching = new Matching(weights, tensors);
  matching.byName();
  matching.byModule();
  matching.byPlace(places);
  matching.byOrder();
  return matching.result();
}

class Matching {
  readonly #weights: ReadonlySet<RenamedWeight>;
  readonly #tensors: ReadonlySet<NamedTensor>;
  readonly #openWeights: Set<RenamedWeight>;
  readonly #openTensors: Set<NamedTensor>;
  readonly #fitted = new Map<RenamedWeight, FittedWeight>();
  readonly #misshapen: Match['misshapen'][number][] = [];

  constructor(weights: readonly RenamedWeight[], tensors: readonly NamedTensor[]) {
    this.#weights = new Set(weights);
    this.#tensors = new Set(tensors.filter(({ name }) => !COUNTER.test(name)));
    this.#openWeights = new Set(this.#weights);
    this.#openTensors = new Set(this.#tensors);
  }

  byName(): void {
    const byName = new Map([...this.#openTensors].map((tensor) => [tensor.wanted, tensor]));
    for (const renamed of this.#weights) {
      const tensor = byName.get(renamed.weight.name);
      if (tensor) this.#pair(renamed, [tensor], 'name');
    }
  }

  byModule(): void {
    for (const normalized of [(path: readonly string[]) => path.join('/'), conventional]) {
      this.#pairBest(this.#sources(), this.#targets(), normalized);
      // A recurrent layer with its own names: `rnn.recurrent_kernel`.
      const sources = this.#sources().filter(({ members }) => members.has('recurrent_kernel'));
      this.#pairBest(sources, this.#layers(), normalized);
    }
  }

  /** All of them or none: where one place has other weights than the file, the counts are those of another model. */
  byPlace(places: ReadonlyMap<string, string>): void {
    const targets = new Map(this.#layers().map((target) => [places.get(target.path.join('/')), target]));
    const pairs = this.#sources()
      .filter(({ path }) => path.some(isCounted))
      .map((source) => ({ source, target: targets.get(source.path.join('/')) }));
    const fits = ({ source, target }: (typeof pairs)[number]) =>
      target !== undefined && signatureOfSource(source, false) === signatureOfTarget(target, false);
    if (!pairs.every(fits)) return;
    for (const { source, target } of pairs) if (target) this.#pairUnits(source, target, 'order');
  }

  byOrder(): void {
    for (const isPytorch of [true, false]) {
      const sources = groupBy(this.#sources(), (unit) => signatureOfSource(unit, isPytorch));
      const targets = groupBy(this.#targets(), (unit) => signatureOfTarget(unit, isPytorch));
      for (const [signature, group] of targets) {
        const found = sources.get(signature);
        if (found?.length !== group.length || !isOrdered(found)) continue;
        group.forEach((target, i) => this.#pairUnits(found[i], target, 'order'));
      }
    }
  }

  result(): Match {
    return {
      fitted: [...this.#weights].flatMap((renamed) => this.#fitted.get(renamed) ?? []),
      misshapen: this.#misshapen,
      missing: [...this.#openWeights],
      unused: [...this.#openTensors],
    };
  }

  #pairBest(sources: readonly Source[], targets: readonly Target[], normalized: typeof conventional): void {
    for (const [source, target] of bestPairs(sources, targets, normalized)) this.#pairUnits(source, target, 'name');
  }

  #pairUnits(source: Source, target: Target, by: FittedWeight['by']): void {
    for (const renamed of target.members.values()) {
      const { parameter, second: other, weight } = renamed;
      const tensor = source.members.get(parameter) ?? source.members.get(weight.weight);
      const second = other && source.members.get(other.name);
      if (tensor) this.#pair(renamed, second ? [tensor, second] : [tensor], by);
    }
  }

  #pair(renamed: RenamedWeight, tensors: readonly NamedTensor[], by: FittedWeight['by']): void {
    const isPytorch = isForModule(renamed, tensors[0]);
    const shape = shapeFor(renamed, tensors[0]);
    const misfit = tensors.find((tensor) => tensor.shape.join() !== shape.join());
    this.#openWeights.delete(renamed);
    for (const tensor of tensors) this.#openTensors.delete(tensor);
    if (misfit) this.#misshapen.push({ renamed, tensor: misfit, shape });
    else this.#fitted.set(renamed, { renamed, tensors, isPytorch, by });
  }

  #sources(): Source[] {
    const units = new Map<string, { path: string[]; part: string; members: Map<string, NamedTensor> }>();
    for (const tensor of this.#openTensors) {
      const { path, part, member } = placeOf(tensor.wanted);
      const key = [...path, part].join('\n');
      const unit = units.get(key) ?? { path, part, members: new Map<string, NamedTensor>() };
      unit.members.set(member, tensor);
      units.set(key, unit);
    }
    return [...units.values()];
  }

  /** The open weights by modules of PyTorch, of which both directions of a recurrent one are parts. */
  #targets(): Target[] {
    return this.#layers().map((layer) => {
      const { path, members } = layer;
      if (![...members.keys()].some((parameter) => RECURRENT.test(parameter))) return layer;
      const direction = /^(forward|backward)_/.exec(path.at(-1) ?? '')?.[1];
      return {
        path: direction === undefined ? path : path.slice(0, -1),
        part: direction === 'backward' ? '0_reverse' : '0',
        members,
      };
    });
  }

  #layers(): Target[] {
    return Array.from(groupBy([...this.#openWeights], ({ module }) => module).values(), (members) => ({
      path: members[0].weight.layer.split('/'),
      part: '',
      members: new Map(members.map((renamed) => [renamed.parameter, renamed])),
    }));
  }
}

/** The shape that a tensor needs to be a weight: with the axes of PyTorch's module or of the layer, as its name says. */
function shapeFor(renamed: RenamedWeight, tensor: NamedTensor): readonly number[] {
  return isForModule(renamed, tensor) ? renamed.shape : renamed.weight.shape;
}

/** True for a tensor with the axes of PyTorch's module. The `bias` of a recurrent layer is the layer's own: a module has `bias_ih_l0`. */
function isForModule({ parameter }: RenamedWeight, { name }: NamedTensor): boolean {
  return RECURRENT.test(parameter) ? RECURRENT.test(lastPart(name)) : PARAMETER.test(lastPart(name));
}

/** True where a tensor has the shape of a weight. */
export function hasShapeOf(renamed: RenamedWeight, tensor: NamedTensor): boolean {
  return tensor.shape.join() === shapeFor(renamed, tensor).join();
}

function isOfPytorch({ name }: NamedTensor): boolean {
  const last = lastPart(name);
  return PARAMETER.test(last) || RECURRENT.test(last);
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** `encoder.lstm.weight_ih_l1_reverse` is `weight_ih_l0` of the part `1_reverse` of `encoder.lstm`. */
function placeOf(name: string): { path: string[]; part: string; member: string } {
  const path = name.split(/[./]/);
  const last = path.pop() ?? '';
  const [, kind, side, layer = '0', reverse = ''] = RECURRENT.exec(last) ?? [];
  return kind === undefined
    ? { path, part: '', member: last }
    : { path, part: layer + reverse, member: `${kind}_${side}_l0` };
}

/** True for the second `dense` of a file of Keras, `dense[1]`, which has no name. */
function isCounted(part: string): boolean {
  return /\[\d+\]$/.test(part);
}

/** True for a name by places that Keras counts: `functional[0]/dense[1]/kernel`. */
export function isCountedPlace(name: string): boolean {
  return placeOf(name).path.some(isCounted);
}

/** False where layers are counted by different kinds, as `dense[0]` and `conv2d[0]`: nothing tells which of them is first. */
function isOrdered(units: readonly Unit<unknown>[]): boolean {
  const kindOf = (part: string) => part.replace(/\[\d+\]$/, '');
  return units.every(({ path }, i) => {
    const last = units[Math.max(0, i - 1)].path;
    const at = path.findIndex((part, depth) => part !== last[depth]);
    const [part, other] = [path[at] ?? '', last[at] ?? ''];
    return !(isCounted(part) || isCounted(other)) || kindOf(part) === kindOf(other);
  });
}

/** A path in one spelling: `layer1.0.conv` and `layer1_0/Conv` are the same. */
function conventional(path: readonly string[]): string {
  return path.join('.').toLowerCase().replace(/[._]+/g, '.');
}

/** Pairs of one path each, without what stands in front of all sources and of all targets, where more pairs are found so. */
function bestPairs(
  sources: readonly Source[],
  targets: readonly Target[],
  normalized: (path: readonly string[]) => string,
): [Source, Target][] {
  let best: [Source, Target][] = [];
  for (let ofSources = 0; ofSources <= commonPrefix(sources); ofSources++)
    for (let ofTargets = 0; ofTargets <= commonPrefix(targets); ofTargets++) {
      const keyed = (units: readonly Unit<unknown>[], skipped: number) =>
        groupBy(units, ({ path, part }) => `${normalized(path.slice(skipped))}\n${part}`);
      const found = keyed(sources, ofSources);
      const pairs = [...keyed(targets, ofTargets)].flatMap(([key, [target, another]]): [Source, Target][] => {
        const [source, other] = found.get(key) ?? [];
        return source && !other && !another ? [[source as Source, target as Target]] : [];
      });
      if (pairs.length > best.length) best = pairs;
    }
  return best;
}

/** Parts that all paths begin with; each keeps its last. */
function commonPrefix(units: readonly Unit<unknown>[]): number {
  if (units.length === 0) return 0;
  const [{ path: first }] = units;
  const most = Math.min(...units.map(({ path }) => path.length - 1));
  let length = 0;
  while (length < most && units.every(({ path }) => path[length] === first[length])) length++;
  return length;
}

/** Names and shapes of a module's tensors; undefined where they do not have the axes that are asked for. */
function signatureOfSource({ members }: Source, isPytorch: boolean): string | undefined {
  const counted = [...members].filter(([member]) => member !== SECOND_BIAS);
  if (counted.some(([, tensor]) => isOfPytorch(tensor) !== isPytorch)) return undefined;
  return signature(counted.map(([member, { shape }]) => [member, shape]));
}

function signatureOfTarget({ members }: Target, isPytorch: boolean): string {
  const all = [...members.values()].filter(({ parameter }) => parameter !== SECOND_BIAS);
  return signature(
    all.map(({ parameter, shape, weight }) => (isPytorch ? [parameter, shape] : [weight.weight, weight.shape])),
  );
}

function signature(members: readonly (readonly [name: string, shape: readonly number[]])[]): string {
  return members
    .map(([name, shape]) => `${name} ${shape.join('x')}`)
    .sort()
    .join('\n');
}
