/** @file Blocks to begin with: the compression of each method, and whole experiments. */
import { isMatrix } from '../../compression/targets/targets.ts';
import { firstDistortEvery, methodFacts, methodNames } from '../../protocol/experiment/methods/index.ts';
import type { Method } from '../../protocol/experiment/schema.ts';
import { timesIn } from '../../protocol/experiment/times.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { matricesOf, shortestSide } from '../matrices.ts';
import { textAt } from '../writtenSettings.ts';
import { knownTimes } from '../trainingTimes.ts';
import { escaped, Places } from './snippetText.ts';

export interface Block {
  readonly label: string;
  readonly detail: string;
  /** A snippet: lines without indentation around them. */
  readonly text: string;
}

/** More layers are named by a glob. */
const NAMED = 6;

/** The object of `"compression"`, for each method. */
export function compressionBlocks(document: ExperimentDocument, surroundings: Surroundings): Block[] {
  return methodNames.map((method) => ({
    label: method,
    detail: methodFacts[method].title,
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
      detail: method === undefined ? 'Pre-training, for others to start from' : methodFacts[method].title,
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
  const { required, rises } = methodFacts[method];
  const first = firstDistortEvery(method, textAt(document, ['data', 'type']));
  const often = Math.max(1, Math.min(first, Math.floor(steps / 100)));
  const lines = [
    `"method": "${method}",`,
    `"distortEvery": ${places.value(often)},`,
    ...Object.entries(required).map(([name, value]) => `"${name}": ${places.value(value)},`),
    '"layers": {',
    layerLines(method, surroundings, places),
    '},',
    rises !== undefined
      ? `"schedule": { "from": ${places.value(Math.round(0.2 * steps))}, "to": ${places.value(Math.round(0.6 * steps))} }`
      : `"schedule": { "from": ${places.value(Math.round(0.2 * steps))} }`,
  ];
  return `{\n${lines.join('\n').replace(/^(?=.)/gm, '  ')}\n}`;
}

function layerLines(method: Method, { model }: Surroundings, places: Places): string {
  const matrices = model?.weights.filter(isMatrix) ?? [];
  const layers = [...new Set(matrices.map(({ layer }) => layer))];
  if (layers.length === 0 || layers.length > NAMED)
    return `  "${places.text('*')}": ${parameters(method, undefined, places)}`;
  return layers
    .map((layer) => {
      const side = shortestSide(matricesOf(matrices.filter((weight) => weight.layer === layer)));
      return `  ${escaped(JSON.stringify(layer))}: ${parameters(method, side, places)}`;
    })
    .join(',\n');
}

/** The entry of a layer. @param side the shortest of its matrices, where they are known */
export function parameters(method: Method, side: number | undefined, places: Places): string {
  const entries = Object.entries(methodFacts[method].parameters);
  if (entries.length === 0) return `{ ${places.empty()} }`;
  return `{ ${entries.map(([name, { first }]) => `"${name}": ${places.value(first(side))}`).join(', ')} }`;
}
