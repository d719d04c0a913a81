/**
 * @file The settings of a first experiment, from the facts of each method. The New Experiment command writes them, completion
 * proposes them and quick fixes take single values from them, so that all give the same answer to the same question.
 */
import type { FirstLosses } from './firstLoss.ts';
import { methodFacts } from './methods/index.ts';
import { policyFacts } from './methods/policies.ts';
import type { Method, PolicyId } from './schema.ts';
import { DEFAULT_POLICY } from './schema/compression.ts';
import { distillation } from './schema/distillation.ts';
import { timeIn, type Duration } from './times.ts';

/** Settings as they are written to a file, in this order. */
export type Settings = Readonly<Record<string, unknown>>;

/** A layer to compress. */
export interface FirstLayer {
  /** Name of the layer, or a glob. */
  readonly name: string;
  /** An upper limit for the smaller side of its matrix, where one is known. */
  readonly shortestSide?: number;
}

/** All layers: used if their names are not known, or are many. */
export const EVERY_LAYER: FirstLayer = { name: '*' };

/** The data and the length of a first experiment's training. */
export interface FirstRun {
  /** `data.type`, where it is known. */
  readonly dataType: string | undefined;
  /** Length of the training. */
  readonly length: Duration;
  readonly stepsPerEpoch?: number | undefined;
}

/** Samples of a batch. */
export const FIRST_BATCH = 50;
/** Five epochs of MNIST, so that a first run is soon over. The paper trains the LeNets for 20,000 steps. */
const STEPS = 6000;
/** Large data are seen so many times at least, for plain training, the rise of a rate and time to recover; few samples so often at most. */
const FEWEST_EPOCHS = 5;
const MOST_EPOCHS = 100;
/**
 * For data of a size that is not known, for language models, and the fewest of methods that act once an epoch. Zaremba et al. 2014 train for
 * 13 epochs (small) to 55 (large).
 */
const EPOCHS = 10;
/** Numbers of evaluations of a first run, the wanted first: enough points for a curve. */
const EVALUATIONS = [15, 16, 14, 17, 13, 18, 12, 19, 11, 20, 10] as const;
/** A method's S_D is lowered in a short run so that there are as many distortions: 24 of them in the rise of a pruning rate. */
const FEWEST_DISTORTIONS = 60;
/**
 * Parts of the training at which distortions begin and at which a pruning rate reaches its target: plain training comes first, and
 * after the rise there is as much time to recover as it took. The paper's LeNet-5 has 0.4 and 0.6.
 */
const FROM = 0.2;
const TO = 0.6;

/**
 * Length of the training in a first experiment, in epochs: as many as make about 6,000 steps.
 * @param dataType `data.type`, where it is known
 */
export function firstLength({ dataType, stepsPerEpoch }: Omit<FirstRun, 'length'>, method?: Method): Duration {
  const actsInEpochs = method !== undefined && methodFacts[method].distortEvery.unit === 'epochs';
  const fewest = actsInEpochs ? EPOCHS : FEWEST_EPOCHS;
  const isKnown = dataType !== 'text' && stepsPerEpoch !== undefined;
  const count = isKnown ? Math.min(MOST_EPOCHS, Math.max(fewest, Math.round(STEPS / stepsPerEpoch))) : EPOCHS;
  return { count, unit: 'epochs' };
}

/** Stochastic gradient descent, which proximal steps go with, at a learning rate that suits models without batch normalization. */
export const PROXIMAL_OPTIMIZER: Settings = { type: 'sgd', learningRate: 0.02, momentum: 0.9 };

/**
 * `training` of a first experiment. Language models are trained as by Zaremba et al. 2014, other models by Adam.
 * @param method undefined for plain training
 * @param loss where neither the model's module nor a built-in model brings one
 */
export function firstTraining(
  { dataType, length }: FirstRun,
  method: Method | undefined,
  loss?: string | FirstLosses,
): Settings {
  const common = { [length.unit]: length.count };
  const isProximal = method !== undefined && methodFacts[method].proximal !== undefined;
  if (dataType === 'text')
    return {
      optimizer: { type: 'sgd', learningRate: 1 },
      learningRateSchedule: { type: 'after-epoch', epoch: 4, factor: 0.5 },
      lossReduction: 'sum-over-time',
      clip: { globalNorm: 5 },
      batchSize: 20,
      ...common,
      seed: 1,
    };
  return {
    optimizer: isProximal ? PROXIMAL_OPTIMIZER : { type: 'adam', learningRate: 0.001 },
    ...(loss !== undefined && { loss }),
    batchSize: FIRST_BATCH,
    ...common,
    ...(length.unit === 'steps' && { evaluateEvery: firstEvaluateEvery(length.count) }),
    seed: 1,
  };
}

/** Steps between evaluations, of which the last falls on the last step where the number of steps allows. */
function firstEvaluateEvery(steps: number): number {
  const evaluations = EVALUATIONS.find((count) => steps % count === 0) ?? EVALUATIONS[0];
  return Math.max(1, Math.round(steps / evaluations));
}

/** `distillation` of a first experiment. Polino et al. 2018 have no temperature for texts. @param teacher as the setting names it */
export function firstDistillation(teacher: string, dataType: string | undefined): Settings {
  const { temperature, weight } = distillation.parse({ teacher });
  return { teacher, temperature: dataType === 'text' ? 1 : temperature, weight };
}

/** `compression` of a first experiment, in the order of a file. */
export interface FirstCompression {
  /** All settings but `layers` and `schedule`. */
  readonly settings: Settings;
  readonly layers: readonly { readonly name: string; readonly parameters: Settings }[];
  /** Undefined for a method that acts from the first step on. */
  readonly schedule: Settings | undefined;
}

export function firstCompression(method: Method, layers: readonly FirstLayer[], run: FirstRun): FirstCompression {
  const { required, rises, proximal, distortEvery } = methodFacts[method];
  const { count, unit } = run.length;
  const every = firstDistortEvery(method, run);
  return {
    settings: {
      method,
      distortEvery: every.count,
      ...(distortEvery.unit && { unit: every.unit }),
      ...required,
    },
    layers: layers.map(({ name, shortestSide }) => ({ name, parameters: firstParameters(method, shortestSide) })),
    schedule: proximal
      ? undefined
      : {
          from: Math.round(FROM * count),
          ...(rises !== undefined && { to: Math.max(1, Math.round(TO * count)) }),
          ...(unit === 'epochs' && { unit }),
        },
  };
}

/** Parameters of a layer in a first experiment, as its policy needs them. @param shortestSide of its matrix, where it is known */
export function firstParameters(
  method: Method,
  shortestSide: number | undefined,
  policy: PolicyId = DEFAULT_POLICY,
): Settings {
  const { layers, findsRate } = policyFacts[policy];
  const { parameters, chooses } = methodFacts[method];
  const needed = Object.entries(parameters).filter(([name]) => !findsRate || !chooses?.parameters.includes(name));
  return { ...layers, ...Object.fromEntries(needed.map(([name, { first }]) => [name, first(shortestSide)])) };
}

/**
 * Distortion step S_D of a first experiment: the method's own, and in a short run a smaller round number of training steps. Where the
 * method's is in epochs, it is so for a training in epochs; one in steps can be shorter than an epoch.
 */
export function firstDistortEvery(method: Method, { dataType, length, stepsPerEpoch }: FirstRun): Duration {
  const { text, others, unit } = methodFacts[method].distortEvery;
  const usual = dataType === 'text' ? text : others;
  const steps = timeIn('steps', length, stepsPerEpoch);
  if (unit === 'epochs')
    return length.unit === 'epochs'
      ? { count: usual, unit }
      : { count: roundBelow(length.count / EPOCHS), unit: 'steps' };
  const count = steps === undefined ? usual : Math.min(usual, roundBelow(steps / FEWEST_DISTORTIONS));
  return { count, unit: 'steps' };
}

/** The largest of 1, 2, 5, 10, 20, 50, … that is not above a number; at least 1. */
export function roundBelow(most: number): number {
  if (most < 1) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return power * (most >= 5 * power ? 5 : most >= 2 * power ? 2 : 1);
}
