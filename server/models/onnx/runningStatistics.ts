/** @file Running statistics of batch normalizations in an ONNX graph: a value that the file stores for each of them, which training moves. */
import { isFloat } from '../../formats/elementTypes.ts';
import type { ReadOnnxModel, ReadOnnxNode, StoredOnnxTensor } from '../../formats/onnxReader.ts';
import { onnxDataTypes } from '../../formats/onnxTypes.ts';
import { RUNNING_MEAN, RUNNING_VARIANCE } from './operators/normalization.ts';
import type { Use } from './weightNames.ts';

export function isRunningStatistic({ node, input }: Pick<Use, 'input'> & { node: Pick<Use['node'], 'op'> }): boolean {
  return node.op === 'BatchNormalization' && (input === RUNNING_MEAN || input === RUNNING_VARIANCE);
}

/**
 * The file with a stored value in the place of each node that passes one on as a running statistic. It is a copy, under the name that the
 * node gives it: exporters store values once that happen to be equal, such as the statistics of normalizations that were not trained.
 */
export function withStoredStatistics<File extends Pick<ReadOnnxModel, 'nodes' | 'initializers'>>(file: File): File {
  const statistics = new Set(
    file.nodes.flatMap((node) => node.inputs.filter((_, input) => isRunningStatistic({ node, input }))),
  );
  const makers = new Map(file.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const stored = new Map(file.initializers.map((tensor) => [tensor.name, tensor]));
  const copies: StoredOnnxTensor[] = [];
  const nodes = file.nodes.flatMap((node): ReadOnnxNode[] => {
    const [name] = node.outputs;
    if (!passesOn(node) || !statistics.has(name)) return [node];
    let source = node.inputs[0];
    for (let maker = makers.get(source); maker && passesOn(maker); maker = makers.get(source)) source = maker.inputs[0];
    const [tensor, constant] = [stored.get(source), makers.get(source)];
    if (tensor) copies.push({ ...tensor, name });
    else return [constant?.op === 'Constant' ? { ...constant, outputs: [name] } : node];
    return [];
  });
  return { ...file, nodes, initializers: [...file.initializers, ...copies] };
}

/** True for a node whose output has the floats of its input; all floats are computed as float32. */
function passesOn({ op, attributes: { to } }: ReadOnnxNode): boolean {
  if (op !== 'Cast') return op === 'Identity';
  const type = to !== undefined && 'int' in to ? onnxDataTypes[to.int] : undefined;
  return type !== undefined && isFloat(type);
}
