/** @file The text of a new experiment file: first settings, with the comments that a first reader needs. Pure. */
import {
  firstCompression,
  firstDistillation,
  firstLength,
  firstTraining,
  type FirstRun,
  FIRST_BATCH,
  type FirstCompression,
  type FirstLayer,
  type Settings,
} from '../protocol/experiment/firstExperiment.ts';
import { formatCount } from '../protocol/formatQuantity.ts';
import type { FirstLosses } from '../protocol/experiment/firstLoss.ts';
import { methodFacts } from '../protocol/experiment/methods/index.ts';
import { hasEnding, modelEndings } from '../protocol/model/modelEndings.ts';
import type { Method } from '../protocol/experiment/schema.ts';
import { oneLine } from '../protocol/experiment/oneLine.ts';

export interface NewExperiment {
  /** The model as the file names it: `./model.ts`, `builtin:lenet-5`, `{ "onnx": "./net.onnx", "inputs": … }`. */
  readonly model: string | Settings;
  /** The loss, where neither the model's module nor a built-in model brings one. */
  readonly loss?: string | FirstLosses;
  /** `"data"`, without comments. With the type `text`, the model is a language model. */
  readonly data: { readonly type: string } & Settings;
  readonly method: Method;
  readonly layers: readonly FirstLayer[];
  /** `distillation.teacher`; absent for a model that learns from the labels alone. */
  readonly teacher?: string;
  /** Length of the training, where it is not the usual one of a first experiment. */
  readonly steps?: number;
  /** Samples of a batch, for a model or data that cannot have the usual number. */
  readonly batchSize?: number;
  /** Samples that an epoch trains on, about; where it is known. */
  readonly samples?: number;
}

const PIXELS_COMMENT = `  // Pixels have to be what the model was trained with: without "standardize" they are 0 to 1;
  // "symmetric" is Normalize(0.5, 0.5) of torchvision; or { "mean": […], "deviation": […] }.
`;

/** True for a file that other programs wrote with the weights that they trained. */
function isTrained(model: NewExperiment['model']): boolean {
  return typeof model === 'string' ? hasEnding(model, modelEndings) : 'onnx' in model;
}

/** The text of the file; `checkExperiment` finds nothing wrong with it. */
export function experimentText({
  model,
  loss,
  data,
  method,
  layers,
  teacher,
  steps,
  batchSize,
  samples,
}: NewExperiment): string {
  const dataType = data.type;
  const epoch = { dataType, stepsPerEpoch: stepsPerEpoch(samples, batchSize) };
  const length = steps === undefined ? firstLength(epoch, method) : ({ count: steps, unit: 'steps' } as const);
  const run = { ...epoch, length };
  const training = { ...firstTraining(run, method, loss), ...(batchSize !== undefined && { batchSize }) };
  const compression = firstCompression(method, layers, run);
  const { title, choice, parameters, spectrumAtEachObservation, proximal } = methodFacts[method];
  const comments = Object.values(parameters).map(({ comment }) => ` ${comment}`);
  const entries = compression.layers.map(
    ({ name, parameters: own }) => `      ${JSON.stringify(name)}: ${oneLine(own)}`,
  );
  return `// ${choice?.comment ?? title}
{
  "model": ${oneLine(model)},
${isTrained(model) && dataType === 'images' ? PIXELS_COMMENT : ''}  "data": ${oneLine(data)},

  "training": {
${lines(training, { ...COMMENTS, epochs: lengthComment(run, samples) })}
  },
${teacher === undefined ? '' : distillationText(teacher, dataType)}
  "compression": {
${lines(compression.settings, proximal ? PROXIMAL_COMMENTS : COMMENTS)},

    // Layers by name or by pattern ("fc*").${comments.join('')}
    "layers": {
${entries.join(',\n')}
    }${scheduleText(method, compression)}
  }${spectrumAtEachObservation ? `,\n\n  // ${proximal ? 'Watch the singular values sink to 0.' : 'Watch the singular values grow before the rank and shrink behind it.'}\n  "observe": { "spectrum": true }` : ''}
}
`;
}

/** Full batches of an epoch; undefined where the number of samples is not known. */
function stepsPerEpoch(samples: number | undefined, batchSize = FIRST_BATCH): number | undefined {
  return samples === undefined ? undefined : Math.max(1, Math.floor(samples / batchSize));
}

/** How long the epochs are. */
function lengthComment({ dataType, length, stepsPerEpoch }: FirstRun, samples: number | undefined): string[] {
  if (dataType === 'text') return [];
  if (samples === undefined || stepsPerEpoch === undefined)
    return [
      'An epoch takes each sample once. How many there are is seen when the data are opened:',
      'fewer epochs for very many.',
    ];
  const rounded = (count: number) => formatCount(Number(count.toPrecision(3)));
  return [
    `About ${rounded(length.count * stepsPerEpoch)} steps: an epoch takes each of the ${rounded(samples)} samples once.`,
  ];
}

function distillationText(teacher: string, dataType: string): string {
  return `
  // The teacher's outputs, softened by the temperature, have this weight in the loss; the labels have the rest.
  "distillation": ${oneLine(firstDistillation(teacher, dataType))},
`;
}

function scheduleText(method: Method, { schedule }: FirstCompression): string {
  if (!schedule) return '';
  const rise =
    methodFacts[method].rises === undefined ? '.' : '; then the rate rises, fast at first, from 0 to the target.';
  return `,

    // Plain training at first${rise}
    "schedule": ${oneLine(schedule)}`;
}

/** Comments for settings whose name does not say what they do. */
const COMMENTS: Comments = {
  distortEvery: [
    'Steps between two distortions (S_D), each of which overwrites the weights by their',
    'compressed form. In between they train as usual, in full precision.',
  ],
  learningRateSchedule: ['After four epochs, half of it after each.'],
};

const PROXIMAL_COMMENTS: Comments = {
  distortEvery: ['How often a proximal step is taken. In between, weights train as usual.'],
};

type Comments = Readonly<Record<string, readonly string[] | undefined>>;

function lines(settings: Settings, comments = COMMENTS): string {
  return Object.entries(settings)
    .map(([key, value]) =>
      [
        ...(comments[key] ?? []).map((line) => `    // ${line}\n`),
        `    ${JSON.stringify(key)}: ${oneLine(value)}`,
      ].join(''),
    )
    .join(',\n');
}
