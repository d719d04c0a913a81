/** @file Blocks to begin with: the compression of each method, and whole experiments. */
import { isMatrix } from '../../compression/targets/targets.ts';
import type { Method } from '../../protocol/experiment/schema.ts';
import { compressionSchemas } from '../../protocol/experiment/schema/compression.ts';
import { timesIn } from '../../protocol/experiment/times.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { textAt } from '../writtenSettings.ts';
import { knownTimes } from '../trainingTimes.ts';
import { escaped, Places } from './snippetText.ts';

export interface Block {
  readonly label: string;
  readonly detail: string;
  /** A snippet: lines without indentation around them. */
  readonly text: string;
}

const methodNames = Object.keys(compressionSchemas) as Method[];

const titles: Record<Method, string> = {
  prune: 'The smallest weights become zero',
  quantize: 'Weights become binary codes of a few bits',
  'low-rank': 'Matrices become products of two thin ones',
  custom: 'A distortion of your own',
};

/** More layers are named by a glob. */
const NAMED = 6;
const FIRST_RANK = 16;

/** The object of `"compression"`, for each method. */
export function compressionBlocks(document: ExperimentDocument, surroundings: Surroundings): Block[] {
  return methodNames.map((method) => ({
    label: method,
    detail: titles[method],
    text: compressionText(method, document, surroundings, new Places()),
  }));
}

/** The text of a file, for each method and for plain training; without braces where they are there already. */
export function experimentBlocks(document: ExperimentDocument, surroundings: Surroundings, braces: boolean): Block[] {
  const model = surroundings.entries('./').find((name) => /^(?!.*(\.d|\.config|\.test)\.).*\.[cm]?[jt]s$/.test(name));
  return [...methodNames, undefined].map((method) => {
    const places = new Places();
    const lines = [
      `"model": ${places.value(model === undefined ? 'builtin:lenet-300-100' : `./${model}`)},`,
      `"data": { "type": ${places.choice(['"mnist"', '"arrays"', '"text"', '"module"'])}, "path": ${places.value('./data')} },`,
      '',
      '"training": {',
      `  "optimizer": { "type": "adam", "learningRate": ${places.value(0.001)} },`,
      `  "batchSize": ${places.value(50)},`,
      `  "steps": ${places.value(20000)}`,
      '}',
    ];
    if (method !== undefined) {
      lines[lines.length - 1] += ',';
      lines.push('', `"compression": ${compressionText(method, document, surroundings, places)}`);
    }
    const body = lines.join('\n').replace(/^(?=.)/gm, '  ');
    return {
      label: method === undefined ? 'experiment: train only' : `experiment: ${method}`,
      detail: method === undefined ? 'Pre-training, for others to start from' : titles[method],
      text: braces ? `{\n${body}\n}` : `\n${body}\n`,
    };
  });
}

function compressionText(
  method: Method,
  document: ExperimentDocument,
  surroundings: Surroundings,
  places: Places,
): string {
  const { times, stepsPerEpoch } = knownTimes(document, surroundings.model);
  const { end: steps = 20000 } = timesIn('steps', times, stepsPerEpoch);
  const language = textAt(document, ['data', 'type']) === 'text';
  const often = Math.max(1, Math.min(language || method !== 'prune' ? 100 : 10, Math.floor(steps / 100)));
  const lines = [
    `"method": "${method}",`,
    `"distortEvery": ${places.value(often)},`,
    ...(method === 'custom' ? [`"module": ${places.value('./distort.ts')},`] : []),
    '"layers": {',
    layerLines(method, surroundings, places),
    '},',
    method === 'prune'
      ? `"schedule": { "from": ${places.value(Math.round(0.2 * steps))}, "to": ${places.value(Math.round(0.6 * steps))} }`
      : `"schedule": { "from": ${places.value(Math.round(0.2 * steps))} }`,
  ];
  return `{\n${lines.join('\n').replace(/^(?=.)/gm, '  ')}\n}`;
}

function layerLines(method: Method, { model }: Surroundings, places: Places): string {
  const matrices = model?.weights.filter(isMatrix) ?? [];
  const layers = [...new Set(matrices.map(({ layer }) => layer))];
  if (layers.length === 0 || layers.length > NAMED)
    return `  "${places.text('*')}": ${parameters(method, FIRST_RANK, places)}`;
  return layers
    .map((layer) => {
      const sides = matrices.filter((weight) => weight.layer === layer).flatMap(({ shape }) => shape);
      const rank = Math.max(1, Math.min(FIRST_RANK, Math.floor(Math.min(...sides) / 2)));
      return `  ${escaped(JSON.stringify(layer))}: ${parameters(method, rank, places)}`;
    })
    .join(',\n');
}

/** The entry of a layer. */
export function parameters(method: Method, rank: number, places: Places): string {
  switch (method) {
    case 'prune':
      return `{ "rate": ${places.value(0.9)} }`;
    case 'quantize':
      return `{ "bits": ${places.value(2)} }`;
    case 'low-rank':
      return `{ "rank": ${places.value(rank)} }`;
    case 'custom':
      return `{ ${places.empty()} }`;
  }
}
