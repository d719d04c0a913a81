/** @file Facts of a user's model that its text tells: nothing of a workspace is executed to make a file. */
import { blankComments, layerCalls } from '../../server/protocol/model/modelText.ts';
import type { FirstLayer } from '../../server/protocol/experiment/firstExperiment.ts';

export interface ModelSource {
  /** Layers that can be compressed; undefined where their names are not all written out. */
  readonly layers?: readonly FirstLayer[];
  /** True if the module brings its own loss. */
  readonly exportsLoss: boolean;
  /** True if the outputs are probabilities; else they are taken for logits. */
  readonly softmax: boolean;
}

/** True where a module exports something under this name. */
function exportsName(code: string, name: string): boolean {
  const declared = new RegExp(
    `export\\s+(?:async\\s+)?(?:function(?:\\s*\\*\\s*|\\s+)|(?:const|let|var)\\s+)${name}\\b|exports\\.${name}\\s*=`,
  );
  const listed = new RegExp(`\\b${name}\\b`);
  return (
    declared.test(code) || Array.from(code.matchAll(/export\s*\{([^{}]*)\}/g)).some(([, list]) => listed.test(list))
  );
}

/** Layers with a matrix. */
const LAYER = /^(dense|conv\w*|depthwiseConv2d|separableConv2d|embedding|lstm|gru|simpleRNN)$/;

/** @returns undefined for a module that exports no `createModel` */
export function readModelSource(text: string): ModelSource | undefined {
  const code = blankComments(text);
  if (!exportsName(code, 'createModel')) return undefined;
  const layers = layersOf(code);
  return {
    ...(layers && { layers }),
    exportsLoss: exportsName(code, 'loss'),
    softmax: /activation\s*:\s*['"`]softmax['"`]|layers\s*\.\s*softmax/.test(code),
  };
}

/** True if a module exports the `train` and `test` of a data set. */
export function isDataModule(text: string): boolean {
  const code = blankComments(text);
  return exportsName(code, 'train') && exportsName(code, 'test');
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
