/** @file Facts of a user's model that its text tells: nothing of a workspace is executed to make a file. */
import { CREATE_MODEL, isModelName } from '../protocol/model/modelExports.ts';
import { blankComments, layerCalls } from '../protocol/model/modelText.ts';
import type { FirstLayer } from '../protocol/experiment/firstExperiment.ts';

export interface ModelSource {
  /** Layers that can be compressed; undefined where their names are not all written out. */
  readonly layers?: readonly FirstLayer[];
  /** Name of the export that is the model, where a module has several that may be. */
  readonly exportName?: string;
  /** True if the module brings its own loss. */
  readonly exportsLoss: boolean;
  /** True if the outputs are probabilities; else they are taken for logits. */
  readonly softmax: boolean;
}

/** Layers with a matrix. */
const LAYER = /^(dense|conv\w*|depthwiseConv2d|separableConv2d|embedding|lstm|gru|simpleRNN)$/;

/** What makes a model in the text of a module. */
const MAKES_MODEL = /\btf\s*\.\s*(sequential|model)\s*\(|\bload(Layers|Graph)Model\s*\(|\blayers\s*\.\s*\w+\s*\(/;
/** A name that says that it is a model. */
const MODEL_NAME = /model|net/i;

/** @returns undefined for a module that exports no model */
export function readModelSource(text: string): ModelSource | undefined {
  const code = blankComments(text);
  const exported = exportedNames(code);
  const found = modelExport(code, exported);
  if (!found) return undefined;
  const layers = layersOf(code);
  return {
    ...(layers && { layers }),
    ...(found.name !== undefined && { exportName: found.name }),
    exportsLoss: exported.has('loss'),
    softmax: /activation\s*:\s*['"`]softmax['"`]|layers\s*\.\s*softmax/.test(code),
  };
}

/**
 * The export that is the model. What is loaded without a name is `createModel`, the default export, or the only one.
 * @returns its name where the experiment has to name it
 */
function modelExport(code: string, exported: ReadonlySet<string>): { readonly name?: string } | undefined {
  if (exported.has(CREATE_MODEL)) return {};
  if (!MAKES_MODEL.test(code)) return undefined;
  // A CommonJS module with layers and without names is its model or what makes it.
  const isDefault = /\bexport\s+default\b|\bmodule\s*\.\s*exports\s*=\s*(?!\{)/.test(code);
  if (isDefault || exported.has('default')) return {};
  const names = [...exported].filter(isModelName);
  if (names.length <= 1) return names.length === 0 ? undefined : {};
  const makers = functionNames(code).filter((name) => names.includes(name));
  const name = makers.find((one) => MODEL_NAME.test(one)) ?? makers.at(0);
  return name === undefined ? undefined : { name };
}

/** Names that a module exports, as ES module or CommonJS. */
function exportedNames(code: string): ReadonlySet<string> {
  const declared = code.matchAll(
    /\bexport\s+(?:async\s+)?(?:function(?:\s*\*\s*|\s+)|(?:const|let|var|class)\s+)([\w$]+)|\bexports\s*\.\s*([\w$]+)\s*=/g,
  );
  const lists = code.matchAll(/\bexport\s*\{([^{}]*)\}|\bmodule\s*\.\s*exports\s*=\s*\{([^{}]*)\}/g);
  const listed = Array.from(lists).flatMap(([, list = '', table = '']) =>
    `${list}${table}`.split(',').map((part) => /(?:\bas\s+)?([\w$]+)\s*$/.exec(part.split(':')[0])?.[1] ?? ''),
  );
  return new Set([...Array.from(declared, ([, name, property]) => name ?? property), ...listed].filter(Boolean));
}

/** Names of functions that a module declares, or gives to `exports`. */
function functionNames(code: string): string[] {
  const found = code.matchAll(
    /\bfunction\s*\*?\s*([\w$]+)|\b(?:const|let|var)\s+([\w$]+)[^=\n;]*=\s*(?:async\s*)?(?:function\b|\([^()]*\)\s*(?::[^=\n]*)?=>|[\w$]+\s*=>)|\bexports\s*\.\s*([\w$]+)\s*=\s*(?:async\s*)?(?:function\b|\()/g,
  );
  return Array.from(found, ([, declared, constant, property]) => declared ?? constant ?? property);
}

/** True if a module exports the `train` and `test` of a data set. */
export function isDataModule(text: string): boolean {
  const exported = exportedNames(blankComments(text));
  return exported.has('train') && exported.has('test');
}

function layersOf(code: string): FirstLayer[] | undefined {
  const layers: FirstLayer[] = [];
  for (const { kind, name, options } of layerCalls(code)) {
    if (!LAYER.test(kind)) continue;
    if (name === undefined || options === undefined || name.text.includes('${')) return undefined;
    const written = code.slice(options.start, options.end);
    const size = numberOf('units|filters|outputDim', written, code);
    // The first convolution sees few channels: its matrix may have fewer columns than filters.
    const kernel = kind.startsWith('conv') && layers.length === 0 ? numberOf('kernelSize', written, code) : undefined;
    const shortestSide = Math.min(size ?? Infinity, kernel === undefined ? Infinity : kernel * kernel);
    layers.push({ name: name.text, ...(Number.isFinite(shortestSide) && { shortestSide }) });
  }
  const names = new Set(layers.map((layer) => layer.name));
  return layers.length > 0 && names.size === layers.length ? layers : undefined;
}

/** A number among the options of a layer, also where a constant of the module stands for it. */
function numberOf(keys: string, options: string, code: string): number | undefined {
  const value = new RegExp(`\\b(?:${keys})\\s*:\\s*(\\w+)`).exec(options)?.[1];
  if (value === undefined || /^\d+$/.test(value)) return value === undefined ? undefined : Number(value);
  const constant = new RegExp(`\\bconst\\s+${value}\\s*=\\s*(\\d+)\\b`).exec(code)?.[1];
  return constant === undefined ? undefined : Number(constant);
}

/**
 * True for a safetensors file with the layers of its model under their own names, as `deeptwist export` writes it.
 * @param head its beginning, with the metadata
 */
export function hasModelLayers(head: string): boolean {
  return /^[^]{1,8}\{"__metadata__":\{[^]*?"model":"/.test(head) && !/"names":"pytorch"/.test(head);
}

/** Layers of a tfjs `model.json` in the layers format; undefined for another file. */
export function readModelJson(text: string): readonly FirstLayer[] | undefined {
  let model: unknown;
  try {
    model = JSON.parse(text);
  } catch {
    return undefined;
  }
  const topology = property(model, 'modelTopology');
  const config = property(property(topology, 'model_config') ?? topology, 'config');
  const list = Array.isArray(config) ? config : property(config, 'layers');
  if (!Array.isArray(list)) return undefined;
  return list.flatMap((layer: unknown): FirstLayer[] => {
    const name = property(property(layer, 'config'), 'name');
    if (typeof name !== 'string' || !COMPRESSIBLE.test(String(property(layer, 'class_name')))) return [];
    const size = ['units', 'filters', 'output_dim'].map((key) => property(property(layer, 'config'), key));
    const shortestSide = size.find((value) => typeof value === 'number');
    return [{ name, ...(shortestSide !== undefined && { shortestSide }) }];
  });
}

const COMPRESSIBLE = /^(Dense|(Depthwise|Separable)?Conv\w*|Embedding|LSTM|GRU|SimpleRNN)$/;

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
