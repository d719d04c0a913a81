/** @file The text of a new experiment file: settings to start from, with the comments that a first reader needs. Pure. */
import { firstDistortEvery } from '../../server/protocol/experiment/firstExperiment.ts';
import { methodFacts, methodNames } from '../../server/protocol/experiment/methods/index.ts';
import type { Method } from '../../server/protocol/experiment/schema.ts';

/** The methods that can be chosen for a new experiment. */
export const newMethods = methodNames.filter((method) => methodFacts[method].choice);

/** A layer that can be compressed, as far as it is known without running the model. */
export interface LayerSketch {
  readonly name: string;
  /** The smaller side of its matrix, at most: a rank must not be larger. */
  readonly maximumRank?: number;
}

export interface NewExperiment {
  /** As the file says it: `./model.ts`, `builtin:lenet-5`. */
  readonly model: string;
  /** Where neither the model's module nor a built-in model brings one. */
  readonly loss?: string;
  /** `"data"`, without comments. `text`: the model is a language model. */
  readonly data: { readonly type: string } & Readonly<Record<string, unknown>>;
  readonly method: Method;
  /** Names or globs. */
  readonly layers: readonly LayerSketch[];
  /** Of a first run; language models are trained for epochs. */
  readonly steps: number;
}

const EPOCHS = 10;

/** The text of the file; `checkExperiment` finds nothing wrong with it. */
export function experimentText(experiment: NewExperiment): string {
  const { model, data, method } = experiment;
  const { title, choice, parameters, spectrumAtEachObservation } = methodFacts[method];
  const comments = Object.values(parameters).map(({ comment }) => ` ${comment}`);
  return `// ${choice?.comment ?? title}
{
  "model": ${JSON.stringify(model)},
  "data": ${oneLine(data)},

  "training": {
${isLanguage(experiment) ? languageTraining() : training(experiment)}
  },

  "compression": {
    "method": ${JSON.stringify(method)},
    // The distortion step S_D: every so many steps the weights are overwritten by their compressed form. In between they
    // train as usual, in full precision.
    "distortEvery": ${distortEvery(experiment)},

    // Layers by name or by pattern ("fc*").${comments.join('')}
    "layers": {
${experiment.layers.map((layer) => `      ${JSON.stringify(layer.name)}: ${firstParameters(method, layer)}`).join(',\n')}
    },

    ${schedule(experiment)}
  }${spectrumAtEachObservation ? ',\n\n  // Watch the singular values grow before the rank and shrink behind it.\n  "observe": { "spectrum": true }' : ''}
}
`;
}

function firstParameters(method: Method, { maximumRank }: LayerSketch): string {
  const entries = Object.entries(methodFacts[method].parameters);
  return `{ ${entries.map(([name, { first }]) => `"${name}": ${first(maximumRank)}`).join(', ')} }`;
}

function isLanguage({ data }: NewExperiment): boolean {
  return data.type === 'text';
}

function distortEvery({ method, data, steps }: NewExperiment): number {
  return firstDistortEvery(method, { dataType: data.type, length: { count: steps, unit: 'steps' } });
}

function training({ steps, loss }: NewExperiment): string {
  const lines = [
    '"optimizer": { "type": "adam", "learningRate": 1e-3 }',
    ...(loss === undefined ? [] : [`"loss": ${JSON.stringify(loss)}`]),
    '"batchSize": 50',
    `"steps": ${steps}`,
    `"evaluateEvery": ${Math.max(1, Math.round(steps / 15))}`,
    '"seed": 1',
  ];
  return lines.map((line) => `    ${line}`).join(',\n');
}

function languageTraining(): string {
  return `    "optimizer": { "type": "sgd", "learningRate": 1 },
    // After four epochs, half of it after each.
    "learningRateSchedule": { "type": "after-epoch", "epoch": 4, "factor": 0.5 },
    "lossReduction": "sum-over-time",
    "clip": { "globalNorm": 5 },
    "batchSize": 20,
    "epochs": ${EPOCHS},
    "seed": 1`;
}

function schedule(experiment: NewExperiment): string {
  const { method, steps } = experiment;
  const language = isLanguage(experiment);
  const unit = language ? ', "unit": "epochs"' : '';
  const at = (fraction: number) => Math.round((language ? EPOCHS : steps) * fraction);
  if (methodFacts[method].rises !== undefined)
    return `// Plain training at first; then the rate rises, fast at first, from 0 to the target.
    "schedule": { "from": ${at(0.2)}, "to": ${at(0.6)}${unit} }`;
  return `// Plain training at first.
    "schedule": { "from": ${at(0.2)}${unit} }`;
}

/** `{ "type": "mnist", "path": "…" }` */
function oneLine(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${oneLine(inner)}`);
  return `{ ${entries.join(', ')} }`;
}
