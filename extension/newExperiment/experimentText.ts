/** @file The text of a new experiment file: settings to start from, with the comments that a first reader needs. Pure. */

export const newMethods = ['prune', 'quantize', 'low-rank'] as const;
export type NewMethod = (typeof newMethods)[number];

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
  readonly method: NewMethod;
  /** Names or globs. */
  readonly layers: readonly LayerSketch[];
  /** Of a first run; language models are trained for epochs. */
  readonly steps: number;
}

const EPOCHS = 10;

/** The text of the file; `checkExperiment` finds nothing wrong with it. */
export function experimentText(experiment: NewExperiment): string {
  const { model, data, method } = experiment;
  return `// ${titles[method]}
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

    // Layers by name or by pattern ("fc*"). ${explanations[method]}
    "layers": {
${experiment.layers.map((layer) => `      ${JSON.stringify(layer.name)}: ${parameters(method, layer)}`).join(',\n')}
    },

    ${schedule(experiment)}
  }${method === 'low-rank' ? ',\n\n  // Watch the singular values grow before the rank and shrink behind it.\n  "observe": { "spectrum": true }' : ''}
}
`;
}

const titles: Record<NewMethod, string> = {
  prune: 'Prunes by DeepTwist: every few steps the smallest weights become zero; no mask holds them there.',
  quantize: 'Quantizes to binary codes by DeepTwist: w ~ a_1 b_1 + a_2 b_2 + … with b in {-1, +1}.',
  'low-rank':
    "Approximates weights by low rank with DeepTwist: W becomes U_r S_r V_r', its best approximation of rank r.",
};

const explanations: Record<NewMethod, string> = {
  prune: 'A rate of 0.9 leaves 1 weight of 10.',
  quantize: 'Bits a weight.',
  'low-rank': 'An m x n matrix of rank r needs r (m + n) numbers instead of m n.',
};

const FIRST_RANK = 16;

function parameters(method: NewMethod, { maximumRank }: LayerSketch): string {
  switch (method) {
    case 'prune':
      return '{ "rate": 0.9 }';
    case 'quantize':
      return '{ "bits": 2 }';
    case 'low-rank':
      return `{ "rank": ${Math.min(FIRST_RANK, Math.max(1, Math.floor((maximumRank ?? FIRST_RANK) / 2)))} }`;
  }
}

function isLanguage({ data }: NewExperiment): boolean {
  return data.type === 'text';
}

/** Pruning little by little wants frequent distortions; the others need time to recover from each. */
function distortEvery(experiment: NewExperiment): number {
  const { method, steps } = experiment;
  if (isLanguage(experiment)) return 100;
  return method === 'prune' ? 10 : Math.max(10, Math.round(steps / 60));
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
  if (method === 'prune')
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
