/** @file The settings that are tried: each weight by itself, over the values of the parameter that says how far a method compresses. */
import { planCompression } from '../compression/plan.ts';
import { storedShape, viewOfWeight } from '../compression/targets/matrixView.ts';
import { assignTargets, isMatrix, LayerKeys, type NamedWeight } from '../compression/targets/targets.ts';
import { compressionsOf } from '../protocol/experiment/compressions.ts';
import { expectation, schemaAt } from '../protocol/experiment/expectation.ts';
import { experimentJsonSchema } from '../protocol/experiment/experimentJsonSchema.ts';
import { methodFacts, oneStepMethods } from '../protocol/experiment/methods/index.ts';
import type { ParameterFacts } from '../protocol/experiment/methods/facts.ts';
import type { Compression, Experiment, Method } from '../protocol/experiment/schema.ts';
import { oneCompression } from '../protocol/experiment/schema/compression.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';

/** One weight at one value of a method's parameter. */
export interface Trial {
  readonly weight: NamedWeight;
  readonly method: Method;
  readonly parameter: string;
  readonly value: number;
  /** Settings of the layer as a file has them, without those that are defaults. */
  readonly written: Readonly<Record<string, unknown>>;
  /** The compression of this weight alone. */
  readonly compression: Compression;
}

export interface TrialOptions {
  /** Keys as those of `compression.layers`; undefined for all layers. */
  readonly layers?: readonly string[] | undefined;
  /** Undefined for all {@link oneStepMethods}. */
  readonly methods?: readonly Method[] | undefined;
  /** Undefined for those that each method proposes; given, there is one method. */
  readonly values?: readonly number[] | undefined;
}

/** The parameter that says how far a method compresses a layer. */
function parameterOf(method: Method): { name: string; facts: ParameterFacts } {
  const [[name, facts]] = Object.entries(methodFacts[method].parameters);
  return { name, facts };
}

/** What names a weight in `compression.layers`, for each weight that can be compressed: its layer where that has no other matrix. */
export function keysOf(weights: readonly NamedWeight[]): Map<NamedWeight, string> {
  const matrices = weights.filter(isMatrix);
  return new Map(
    matrices.map((weight) => {
      const ofLayer = matrices.filter(({ layer }) => layer === weight.layer);
      return [weight, ofLayer.length === 1 ? weight.layer : weight.name];
    }),
  );
}

/**
 * All that is to be tried, by weight in the model's order, then by method, from the value that compresses least to the one that compresses
 * most. Other settings of a layer (levels, a pattern) are those that the experiment's own compression by the method gives it.
 * @param weights of the model
 * @throws UserError for a layer that there is not, and for a value that no layer can have
 */
export function trialsOf(
  experiment: Pick<Experiment, 'compression'>,
  weights: readonly NamedWeight[],
  { layers, methods = oneStepMethods, values }: TrialOptions,
): Trial[] {
  const chosen = chosenWeights(weights, layers);
  for (const method of methods) for (const value of values ?? []) checkValue(method, value);
  const refusals = new Map<number, SettingError>();
  const trials = chosen.flatMap((weight) =>
    methods.flatMap((method) => {
      const own = ownParameters(experiment, weights, weight, method);
      return ordered(method, values ?? proposedValues(method, weight)).flatMap((value) => {
        const trial = trialOf(weight, method, value, own, weights);
        if (!(trial instanceof SettingError)) return [trial];
        refusals.set(value, trial);
        return [];
      });
    }),
  );
  for (const value of values ?? []) {
    const refusal = refusals.get(value);
    if (refusal && !trials.some((trial) => trial.value === value))
      throw new UserError(`No layer can have the value ${value} of --values: ${refusal.reason}.`, {
        remedy: refusal.remedy,
        exitCode: ExitCode.usage,
      });
  }
  if (trials.length > 0) return trials;
  const names = chosen.map(({ name }) => name).join(', ');
  throw new UserError(`There is nothing to try: ${methods.join(', ')} can make none of these smaller: ${names}.`, {
    remedy: 'Choose other layers or methods, or give --values.',
    exitCode: ExitCode.usage,
  });
}

/** @throws UserError for a key that names nothing that can be compressed */
function chosenWeights(weights: readonly NamedWeight[], layers: readonly string[] | undefined): NamedWeight[] {
  if (layers === undefined) {
    const matrices = weights.filter(isMatrix);
    if (matrices.length > 0) return matrices;
    throw new UserError('The model has no weight that can be compressed: biases and other vectors stay as they are.', {
      remedy: 'Take a model with a layer that has a matrix: dense, convolutional, recurrent or an embedding.',
    });
  }
  const { problems } = assignTargets(Object.fromEntries(layers.map((key) => [key, {}])), weights);
  const wrong = problems.find(({ code }) => code !== 'matched-twice');
  if (wrong)
    throw new UserError(`--layers ${wrong.key}: ${wrong.reason}.`, { remedy: wrong.remedy, exitCode: ExitCode.usage });
  return [...new LayerKeys(weights).closest(layers).keys()];
}

/** @throws UserError for a value that the schema does not take in any layer */
function checkValue(method: Method, value: number): void {
  const { name } = parameterOf(method);
  const layers = { layer: { [name]: value } };
  if (oneCompression.safeParse({ method, distortEvery: 1, layers }).success) return;
  const schema = schemaAt(experimentJsonSchema(), { compression: { method, layers } }, [
    ...['compression', 'layers', 'layer', name],
  ]);
  const expected = schema ? expectation(schema) : 'another one';
  throw new UserError(`--values: the ${name} of "${method}" is ${expected}, got ${value}.`, {
    remedy: `Leave --values out for the usual ones, or give for example ${parameterOf(method).facts.first()}.`,
    exitCode: ExitCode.usage,
  });
}

function proposedValues(method: Method, weight: NamedWeight): readonly number[] {
  return parameterOf(method).facts.proposed([storedShape(viewOfWeight(weight))]);
}

/** Each value once, from the one that compresses least. */
function ordered(method: Method, values: readonly number[]): number[] {
  const ascending = [...new Set(values)].sort((a, b) => a - b);
  return parameterOf(method).facts.smallerModel === 'greater values' ? ascending : ascending.reverse();
}

/** What the experiment says of a weight that it compresses by a method; empty where it does not. */
function ownParameters(
  experiment: Pick<Experiment, 'compression'>,
  weights: readonly NamedWeight[],
  weight: NamedWeight,
  method: Method,
): Readonly<Record<string, unknown>> {
  for (const { method: own, layers } of compressionsOf(experiment)) {
    if (own !== method) continue;
    const { targets } = assignTargets<Readonly<Record<string, unknown>>, NamedWeight>(layers, weights);
    const target = targets.find((one) => one.weight === weight);
    if (target) return target.parameters;
  }
  return {};
}

/**
 * @param own other settings of the layer, which are left out where they do not let a weight be compressed alone or fix the value
 * @returns the error of a value that the weight cannot have
 */
function trialOf(
  weight: NamedWeight,
  method: Method,
  value: number,
  own: Readonly<Record<string, unknown>>,
  weights: readonly NamedWeight[],
): Trial | SettingError {
  const { name: parameter } = parameterOf(method);
  const trialWith = (settings: Readonly<Record<string, unknown>>): Trial | SettingError => {
    const compression = compressionOf(method, weight, { ...settings, [parameter]: value });
    if (compression instanceof SettingError) return compression;
    try {
      planCompression([{ path: [], settings: compression }], weights, { steps: 1, seed: 0 });
    } catch (error) {
      if (error instanceof SettingError) return error;
      throw error;
    }
    const written = withoutDefaults(compression, method, weight, parameter);
    return { weight, method, parameter, value, written, compression };
  };
  const trial = trialWith(own);
  return trial instanceof SettingError && Object.keys(own).length > 0 ? trialWith({}) : trial;
}

/** A compression of one weight, once, by its magnitudes and with a threshold of its own: what depends on other weights or gradients is left out. */
function compressionOf(
  method: Method,
  { name }: NamedWeight,
  settings: Readonly<Record<string, unknown>>,
): Compression | SettingError {
  const layers = { [name]: settings };
  const { data, error } = oneCompression.safeParse({ method, distortEvery: 1, layers });
  return data ?? new SettingError(['layers', name], error.issues[0].message);
}

/** Settings of the layer without those that the method takes anyhow, beside the others: kinds of levels have defaults of their own. */
function withoutDefaults(
  { layers }: Compression,
  method: Method,
  weight: NamedWeight,
  parameter: string,
): Readonly<Record<string, unknown>> {
  const settings: Readonly<Record<string, unknown>> = layers[weight.name];
  const meant = JSON.stringify(layers);
  return Object.keys(settings).reduce((left, name) => {
    if (name === parameter) return left;
    const { [name]: _, ...others } = left;
    const compression = compressionOf(method, weight, others);
    const isSame = !(compression instanceof SettingError) && JSON.stringify(compression.layers) === meant;
    return isSame ? others : left;
  }, settings);
}
