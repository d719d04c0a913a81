/** @file The tensors of a file of Keras under the names that the weights of its layers have: `dense_1/kernel`. */
import type { Hdf5Dataset } from '../hdf5.ts';
import { namesOf, type KerasFile } from './kerasFile.ts';
import { kerasLayers, variablesOfGroup, type KerasLayer, type KerasVariable } from './kerasLayers.ts';

export interface KerasTensor {
  /** Names of the layers that it is in, and of its own: `encoder`, `dense_1`. */
  readonly layers: readonly string[];
  /** `kernel` */
  readonly weight: string;
  readonly dataset: Hdf5Dataset;
  /** False for the state of an optimizer, of a generator of random numbers, and of a metric. */
  readonly isOfModel: boolean;
}

/** `dense_1/kernel` */
export function kerasTensorName({ layers, weight }: Pick<KerasTensor, 'layers' | 'weight'>): string {
  return [...layers, weight].join('/');
}

/**
 * All tensors of a file: those of its layers first, in the order of the model where that is in the file.
 * @throws FormatError where the file is damaged
 */
export function kerasTensors(file: KerasFile): KerasTensor[] {
  const tensors = file.layout === 'names' ? tensorsByNames(file) : file.layout === 'paths' ? tensorsByPaths(file) : [];
  const taken = new Set(tensors.map(({ dataset }) => dataset.path));
  const rest = file.weights.datasets
    .filter(({ path, type }) => !taken.has(path) && type !== 'string')
    .map((dataset): KerasTensor => {
      const path = dataset.path.split('/');
      return {
        layers: path.slice(0, -1),
        weight: path.at(-1) ?? '',
        dataset,
        isOfModel: !/(^|\/)(optimizer(_weights)?|seed_generator|_?metrics)\//.test(dataset.path),
      };
    });
  return [...tensors, ...rest];
}

function tensorsByPaths(file: KerasFile): KerasTensor[] {
  return file.model ? tensorsOfLayers(file, kerasLayers(file.model)) : tensorsOfGroups(file);
}

/** Keras 2.13 called the group of a model's layers otherwise. */
const OLD_LAYERS = '_layer_checkpoint_dependencies';

function tensorsOfLayers({ weights }: KerasFile, layers: readonly KerasLayer[]): KerasTensor[] {
  return layers.flatMap(({ names, place, variables }) =>
    variables.flatMap(({ name }, i): KerasTensor[] => {
      const path = `${place}/vars/${i}`;
      const dataset = weights.dataset(path) ?? weights.dataset(path.replace(/(^|\/)layers\//g, `$1${OLD_LAYERS}/`));
      return dataset ? [{ layers: names, weight: name, dataset, isOfModel: true }] : [];
    }),
  );
}

/** Groups that are parts of a layer, and no layers with names of their own. */
const PARTS = new Set(['layers', OLD_LAYERS, 'cell', 'vars']);

/** `dense_1` is the second group of its kind. */
function kindAndNumber(group: string): [kind: string, number: string] {
  const [, kind = group, number = '0'] = /^(.*?)(?:_(\d+))?$/.exec(group) ?? [];
  return [kind, number];
}

/**
 * The name of a layer of which only its group is known: `dense_1` is the second of its class, whatever it is called. It must not look like
 * a name, since the model may have another layer that is called `dense_1`.
 */
export function countedGroup(group: string): string {
  if (/(^|_)layer$/.test(group)) return group;
  const [kind, number] = kindAndNumber(group);
  return `${kind}[${number}]`;
}

const DIGITS = 9;
/** Parts of a bidirectional layer, in the order that the layer has them. */
const DIRECTIONS: Readonly<Record<string, string>> = { forward_layer: '1', backward_layer: '2' };

/** A path of groups as a text that sorts as the layers of a class are counted. */
function placed(path: string): string {
  return path
    .split('/')
    .map((part) => {
      const [kind, number] = kindAndNumber(DIRECTIONS[part] ?? part);
      return `${kind} ${number.padStart(DIGITS, '0')}`;
    })
    .join('/');
}

/** Without the model: by the names that Keras 3 writes beside the variables, or by the places of the groups. */
function tensorsOfGroups({ weights }: KerasFile): KerasTensor[] {
  const groups = new Map<string, Hdf5Dataset[]>();
  for (const dataset of weights.datasets) {
    const [, group] = /^(.*)\/vars\/\d+$/.exec(dataset.path) ?? [];
    if (group === undefined || !group.startsWith('layers/')) continue;
    const ofGroup = groups.get(group);
    if (ofGroup) ofGroup.push(dataset);
    else groups.set(group, [dataset]);
  }
  const inOrderOfCounts = [...groups].sort(([a], [b]) => (placed(a) < placed(b) ? -1 : 1));
  return inOrderOfCounts.flatMap(([group, datasets]) => {
    const path = group.split('/');
    const layers = path.flatMap((part, depth) => {
      if (PARTS.has(part)) return [];
      const name = weights.attributes(`${path.slice(0, depth + 1).join('/')}/vars`).get('name');
      return [name === undefined ? countedGroup(part) : String(name)];
    });
    const inOrder = datasets
      .map((dataset) => ({ dataset, index: Number(/\d+$/.exec(dataset.path)?.[0]) }))
      .sort((a, b) => a.index - b.index);
    const variables = variablesOfGroup(
      path.at(-1) ?? '',
      inOrder.map(({ dataset }) => dataset.shape.length),
    );
    return inOrder.map(({ dataset, index }): KerasTensor => {
      const isOfModel = !path.includes('seed_generator');
      return { layers, weight: variables?.[index]?.name ?? String(index), dataset, isOfModel };
    });
  });
}

function tensorsByNames(file: KerasFile): KerasTensor[] {
  const { weights, root, model } = file;
  const within = (...path: string[]) => [root, ...path].filter((part) => part !== '').join('/');
  const layers = model ? kerasLayers(model) : [];
  return (namesOf(weights.attributes(root), 'layer_names') ?? []).flatMap((layer) => {
    const names = namesOf(weights.attributes(within(layer)), 'weight_names') ?? [];
    const expected = inLegacyOrder(layers.filter(({ names: [first] }) => first === layer));
    const isExpected =
      expected.length === names.length && names.every((name, i) => isCalled(name, expected[i].variable.name));
    return names.flatMap((name, i): KerasTensor[] => {
      const dataset = weights.dataset(within(layer, name));
      if (!dataset) return [];
      const place = isExpected
        ? { layers: expected[i].names, weight: expected[i].variable.name }
        : placeOf(name, layer);
      return [{ ...place, dataset, isOfModel: true }];
    });
  });
}

interface ExpectedVariable {
  readonly names: readonly string[];
  readonly variable: KerasVariable;
}

/** The variables that are trained, then the others, as `layer.weights` of Keras has them. */
function inLegacyOrder(layers: readonly KerasLayer[]): ExpectedVariable[] {
  const all = layers.flatMap(({ names, variables, trainable }) =>
    variables.map((variable) => ({ names, variable, isTrained: variable.trainable && trainable })),
  );
  return [...all.filter(({ isTrained }) => isTrained), ...all.filter(({ isTrained }) => !isTrained)];
}

/** True where the name of a weight in a file may be that of a variable: Keras 3 calls a depthwise kernel a kernel. */
function isCalled(name: string, variable: string): boolean {
  const last = lastPart(name);
  return last === variable || (last.endsWith('kernel') && variable.endsWith('kernel'));
}

/** From the name of a weight alone: `lstm/lstm_cell/kernel:0` of the layer `lstm`. */
function placeOf(name: string, layer: string): Pick<KerasTensor, 'layers' | 'weight'> {
  const path = name.split('/').slice(0, -1);
  const own = path.filter((part) => !/_cell(_\d+)?$/.test(part));
  const at = own.lastIndexOf(layer);
  return { layers: at < 0 ? [layer, ...own] : own.slice(at), weight: lastPart(name) };
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).replace(/:\d+$/, '');
}
