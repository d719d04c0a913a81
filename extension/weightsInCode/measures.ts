/** @file What is shown of a run's weights beside the code: the last that was recorded of them. Pure. */
import { elementCount, floatBytes } from '../../server/protocol/shape.ts';
import type { EventOf, RunEvent, SizeLeft } from '../../server/protocol/run/events.ts';

export type DistortedWeight = EventOf<'distortion'>['weights'][number];

/** Events that change {@link Measures}, apart from `started`. */
export const measuredTypes = ['distortion', 'spectrum', 'finished'] as const satisfies RunEvent['type'][];
export type MeasuredEvent = EventOf<(typeof measuredTypes)[number]>;

/** What a log says last. */
export interface Measures {
  readonly started: EventOf<'started'>;
  /** The event of weights that the run began with; absent for a run from initial weights. */
  readonly pretrained?: EventOf<'pretrained'>;
  readonly last?: EventOf<'distortion'>;
  /** The recorded distortion before the last: what a trend is seen by. */
  readonly earlier?: EventOf<'distortion'>;
  /** The newest one; that of {@link last} where the steps are the same. */
  readonly spectrum?: EventOf<'spectrum'>;
  readonly finished?: EventOf<'finished'>;
}

/** A matrix of the model, with what was recorded of it. */
export interface MeasuredWeight {
  /** `fc1/kernel` */
  readonly name: string;
  readonly layer: string;
  /** Path of the module of PyTorch that the weight is of, `layer1.0.conv1`, where it comes from there. */
  readonly module?: string;
  readonly shape: readonly number[];
  readonly compressed: boolean;
  readonly steps: { readonly done?: number; readonly all: number };
  readonly last?: DistortedWeight;
  readonly earlier?: DistortedWeight;
  /** Before the last distortion, largest first. */
  readonly singularValues?: readonly number[];
  /** What is left of the weight. Undefined before its first distortion, and while a run of an earlier version, whose log does not tell, trains. */
  readonly size?: SizeLeft;
  /** True where a file holds the weight in {@link size}; else it would take that. */
  readonly isInFile: boolean;
}

/** @param events in the order of the log */
export function withEvents(measures: Measures, events: readonly MeasuredEvent[]): Measures {
  return events.reduce<Measures>((known, event) => {
    switch (event.type) {
      case 'distortion':
        return { ...known, last: event, earlier: known.last };
      case 'spectrum':
        return { ...known, spectrum: event };
      case 'finished':
        return { ...known, finished: event };
    }
  }, measures);
}

/** In the order of the model; biases and other vectors are left out. */
export function measuredWeights({
  started,
  pretrained,
  last,
  earlier,
  spectrum,
  finished,
}: Measures): MeasuredWeight[] {
  const steps = { done: last?.step, all: started.config.training.steps };
  const spectra = spectrum?.step === last?.step ? spectrum : undefined;
  return started.layers.flatMap(({ name, layer, shape, compressed }) => {
    if (shape.length < 2) return [];
    const of = <W extends { name: string }>(weights: readonly W[] | undefined) =>
      weights?.find((weight) => weight.name === name);
    return [
      {
        name,
        layer,
        ...moduleOf({ started, pretrained }, name, layer),
        shape,
        compressed,
        steps,
        last: of(last?.weights),
        earlier: of(earlier?.weights),
        singularValues: of(spectra?.weights)?.singularValues,
        size: of(finished?.summary.layers) ?? of(last?.weights)?.size,
        isInFile: finished?.summary.fileBytes !== undefined,
      },
    ];
  });
}

/** Names of an ONNX graph are those of its modules; weights that began with a file of PyTorch are those of its tensors. */
function moduleOf(
  { started, pretrained }: { started: EventOf<'started'>; pretrained: EventOf<'pretrained'> | undefined },
  name: string,
  layer: string,
): { module?: string } {
  const { model } = started.config;
  if (typeof model === 'string' ? /\.onnx$/i.test(model) : 'onnx' in model) return { module: layer };
  const tensor = pretrained?.weights.find((weight) => weight.name === name)?.tensors.at(0);
  const end = tensor?.lastIndexOf('.') ?? -1;
  return tensor === undefined || end < 0 ? {} : { module: tensor.slice(0, end) };
}

export function countOf({ shape }: Pick<MeasuredWeight, 'shape'>): number {
  return elementCount(shape);
}

/** How many of a weight's bytes are left, 0 to 1; undefined where that is not known. */
export function shareLeft({ compressed, shape, size }: MeasuredWeight): number | undefined {
  return compressed ? size && size.bytesKept / floatBytes(shape) : 1;
}

/** How many of a weight's numbers are left, 0 to 1; undefined where that is not known. */
export function shareKept(weight: MeasuredWeight): number | undefined {
  return weight.size && weight.size.weightsKept / countOf(weight);
}

/** The direction in which a number has moved since the distortion before; undefined where the difference is too small to be shown. */
export function trend(now: number | undefined, before: number | undefined): 'up' | 'down' | undefined {
  if (now === undefined || before === undefined) return undefined;
  const change = (now - before) / Math.max(Math.abs(now), Math.abs(before));
  if (!(Math.abs(change) >= SEEN)) return undefined;
  return change > 0 ? 'up' : 'down';
}

/** Numbers are shown in three digits. */
const SEEN = 1e-3;
