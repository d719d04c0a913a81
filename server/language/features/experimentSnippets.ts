/** @file Completions to begin with: the compression of each method, and whole experiments. */
import { isMatrix } from '../../compression/targets/targets.ts';
import {
  EVERY_LAYER,
  firstCompression,
  firstTraining,
  type FirstLayer,
  type FirstRun,
  type Settings,
} from '../../protocol/experiment/firstExperiment.ts';
import { firstLosses } from '../../protocol/experiment/firstLoss.ts';
import { methodFacts, methodNames } from '../../protocol/experiment/methods/index.ts';
import { hasEnding, moduleEndings } from '../../protocol/model/modelEndings.ts';
import type { Method } from '../../protocol/experiment/schema.ts';
import type { DescribedWeight } from '../../protocol/model/modelDescription.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { matricesOf, shortestSide } from '../matrices.ts';
import { firstRunOf } from '../trainingTimes.ts';
import { escaped, exampleSnippet, Places } from './snippetText.ts';

export interface Block {
  readonly label: string;
  readonly detail: string;
  /** A snippet: lines without indentation around them. */
  readonly text: string;
}

/** Layers that are listed by name; more layers are named by a glob. */
const NAMED = 6;

/** The object of `"compression"`, for each method. */
export function compressionBlocks(document: ExperimentDocument, { model }: Surroundings): Block[] {
  return methodNames.map((method) => ({
    label: method,
    detail: methodFacts[method].title,
    text: compressionText(method, layersOf(model), firstRunOf(document, model), new Places()),
  }));
}

/** The text of a file, for each method and for plain training; without braces where they are there already. */
export function experimentBlocks(document: ExperimentDocument, surroundings: Surroundings, braces: boolean): Block[] {
  const { model } = surroundings;
  const module = surroundings
    .entries('./')
    .find((name) => hasEnding(name, moduleEndings) && !/\.(d|config|test)\./.test(name));
  const run = firstRunOf(document, model);
  // A built-in model brings its loss; a module may, and the experiment's comes before that.
  const loss = module === undefined ? undefined : firstLosses(model?.outputs);
  return [...methodNames, undefined].map((method) => {
    const places = new Places();
    const type = places.choice(['"mnist"', '"images"', '"table"', '"arrays"', '"text"', '"module"']);
    const sections = [
      `"model": ${places.value(module === undefined ? 'builtin:lenet-300-100' : `./${module}`)},\n` +
        `"data": { "type": ${type}, "path": ${places.value('./data')} }`,
      `"training": ${block(settingLines(firstTraining(run, method, loss), places))}`,
      ...(method === undefined ? [] : [`"compression": ${compressionText(method, layersOf(model), run, places)}`]),
    ];
    const body = indented(sections.join(',\n\n'));
    return {
      label: method === undefined ? 'experiment: train only' : `experiment: ${method}`,
      detail: method === undefined ? 'Pre-training, for others to start from' : methodFacts[method].title,
      text: braces ? `{\n${body}\n}` : `\n${body}\n`,
    };
  });
}

/** A first compression of some layers, an object over several lines. */
export function compressionText(method: Method, named: readonly FirstLayer[], run: FirstRun, places: Places): string {
  const { settings, layers, schedule } = firstCompression(method, named, run);
  const { method: name, ...others } = settings;
  return block([
    `"method": ${JSON.stringify(name)}`,
    ...settingLines(others, places),
    `"layers": ${block(layers.map((layer) => `${keyText(layer.name, places)}: ${exampleSnippet(layer.parameters, places)}`))}`,
    ...(schedule ? [`"schedule": ${exampleSnippet(schedule, places)}`] : []),
  ]);
}

function settingLines(settings: Settings, places: Places): string[] {
  return Object.entries(settings).map(([key, value]) => `${JSON.stringify(key)}: ${exampleSnippet(value, places)}`);
}

/** A glob is a place to fill in; names of layers stay as they are. */
function keyText(name: string, places: Places): string {
  return name === EVERY_LAYER.name ? places.value(name) : escaped(JSON.stringify(name));
}

/** An object over several lines. */
function block(lines: readonly string[]): string {
  return `{\n${indented(lines.join(',\n'))}\n}`;
}

export function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

function layersOf(model: Surroundings['model']): FirstLayer[] {
  const matrices = model?.weights.filter(isMatrix) ?? [];
  const names = [...new Set(matrices.map(({ layer }) => layer))];
  const shortest = (own: readonly DescribedWeight[]) => ({ shortestSide: shortestSide(matricesOf(own)) });
  if (names.length === 0 || names.length > NAMED) return [{ ...EVERY_LAYER, ...shortest(matrices) }];
  return names.map((name) => ({ name, ...shortest(matrices.filter(({ layer }) => layer === name)) }));
}
