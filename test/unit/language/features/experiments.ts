/** @file Experiment files, models and runs that the tests of the language server's features share. */
import { TextDocument, type Position } from 'vscode-languageserver-textdocument';
import type { CompletionItem, TextEdit } from 'vscode-languageserver/node';
import {
  ExperimentDocument,
  type KnownRun,
  type Surroundings,
} from '../../../../server/language/experimentDocument.ts';
import type { DescribedWeight, ModelDescription } from '../../../../server/protocol/model/modelDescription.ts';
import type { RunRecord } from '../../../../server/runs/runRecord.ts';

const FILE = '/home/user/project/prune.deeptwist.jsonc';
export const URI = `file://${FILE}`;

export function open(text: string): ExperimentDocument {
  return new ExperimentDocument(TextDocument.create(URI, 'jsonc', 1, text));
}

/** A text with `|` where the cursor is. */
export function openAt(marked: string): { document: ExperimentDocument; position: Position } {
  const offset = marked.indexOf('|');
  if (offset < 0) throw new Error('The text has no cursor.');
  const document = open(marked.slice(0, offset) + marked.slice(offset + 1));
  return { document, position: document.text.positionAt(offset) };
}

/** The text after a completion was chosen and nothing else was typed in its places. */
export function applied({ text }: ExperimentDocument, item: CompletionItem): string {
  const { range, newText } = item.textEdit as TextEdit;
  const plain = newText
    .replace(/\$\{\d+\|((?:[^,|\\]|\\.)*)(?:[^|\\]|\\.)*\|\}/g, '$1')
    .replace(/\$\{\d+:((?:[^}\\]|\\.)*)\}/g, '$1')
    .replace(/\$\d+/g, '')
    .replace(/\\([$}\\,|])/g, '$1');
  return TextDocument.applyEdits(text, [{ range, newText: plain }, ...(item.additionalTextEdits ?? [])]);
}

export function describeModel(
  layers: Record<string, { layerClass?: string; inputLayer?: string; weights: Record<string, number[]> }>,
  samples?: number,
): ModelDescription {
  const weights = Object.entries(layers).flatMap(([layer, { layerClass, inputLayer, weights: own }]) =>
    Object.entries(own).map(([weight, shape]): DescribedWeight => {
      const input = weight === 'kernel' ? inputLayer : undefined;
      return { name: `${layer}/${weight}`, layer, weight, layerClass, inputLayer: input, shape, trainable: true };
    }),
  );
  return { version: 1, model: './model.ts', files: [], weights, ...(samples !== undefined && { samples }) };
}

function dense(inputs: number, units: number) {
  return { layerClass: 'Dense', weights: { kernel: [inputs, units], bias: [units] } };
}

function recurrent(units: number) {
  const shape = [units, 4 * units];
  return { layerClass: 'LSTM', weights: { kernel: shape, recurrent_kernel: shape, bias: [4 * units] } };
}

export const lenet = describeModel({ fc1: dense(784, 300), fc2: dense(300, 100), fc3: dense(100, 10) }, 60000);

export const lstm = describeModel({
  embedding: { layerClass: 'Embedding', weights: { embeddings: [10000, 200] } },
  lstm1: { ...recurrent(200), inputLayer: 'embedding' },
  lstm2: { ...recurrent(200), inputLayer: 'lstm1' },
  softmax: { ...dense(200, 10000), inputLayer: 'lstm2' },
});

export function knownRun(
  id: string,
  { state = 'finished', step, text, ...record }: Partial<Omit<RunRecord, 'state'>> & Partial<KnownRun> = {},
): KnownRun {
  return {
    record: {
      format: 1,
      id,
      name: 'prune',
      experiment: FILE,
      overrides: [],
      state: state === 'interrupted' ? 'running' : state,
      ...(state === 'finished' && {
        result: { metric: 'accuracy', test: 0.983, byteRatio: 47.3, fileRatio: 47.1, weightRatio: 61.2 },
      }),
      created: '2026-11-26T10:15:00.000Z',
      updated: '2026-11-26T10:25:00.000Z',
      cuts: [],
      ...record,
    },
    path: `/home/user/project/.deeptwist/runs/${id}`,
    state,
    step,
    text,
  };
}

const folders: Record<string, readonly string[]> = {
  './': ['data/', 'model.ts', 'pets.csv', 'types.d.ts', 'weights.safetensors', 'words.txt'],
  './data/': ['mnist/', 'x_train.npy', 'y_train.npy'],
  './data/mnist/': ['train-images-idx3-ubyte.gz'],
  '../': ['project/', 'other/'],
};

export function around(known: Partial<Surroundings> = {}): Surroundings {
  return {
    model: lenet,
    modelText: undefined,
    runs: [],
    others: [],
    cores: 2,
    exists: (path) => path === './model.ts' || path in folders || `${path}/` in folders,
    entries: (path) => folders[path.replace(/\/?$/, '/')] ?? [],
    columns: (path) => (path === './pets.csv' ? ['height', 'fur colour', 'kind'] : []),
    ...known,
  };
}

export const pruneText = `// Prunes LeNet-300-100.
{
  "model": "./model.ts",
  "data": { "type": "mnist", "path": "./data/mnist" },
  "training": {
    "optimizer": { "type": "adam", "learningRate": 1e-3 }, // as in the paper
    "batchSize": 50,
    "steps": 20000
  },
  "compression": {
    "method": "prune",
    "distortEvery": 10,
    "layers": {
      "fc1": { "rate": 0.98 }, // the largest
      "fc*": { "rate": 0.9 }
    },
    "schedule": { "initialRate": 0.25, "from": 8000, "to": 13000, "exponent": 7 }
  }
}
`;

/** A whole experiment with other contents of `"compression"`. */
export function withCompression(compression: string, steps = '"steps": 20000'): string {
  return `{
  "model": "./model.ts",
  "data": { "type": "mnist", "path": "./data/mnist" },
  "training": { "optimizer": { "type": "sgd", "learningRate": 1 }, "batchSize": 50, ${steps} },
  "compression": {
${compression}
  }
}
`;
}
