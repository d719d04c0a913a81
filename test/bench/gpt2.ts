/**
 * @file Language models of the shape of GPT-2 (Radford et al. 2019), as ONNX files: learned positions, blocks of attention and of two dense
 * layers with GELU, each behind a layer normalization, and logits by the transposed embedding. Weights are drawn at random.
 */
import { writeFileSync } from 'node:fs';
import { encodeOnnxModel, type OnnxAttribute, type OnnxGraph, type OnnxNode } from '../../server/formats/onnx.ts';
import { elementCount } from '../../server/protocol/shape.ts';

export interface Gpt2 {
  readonly layers: number;
  /** Numbers of a token between two blocks; a multiple of the heads. */
  readonly width: number;
  readonly heads: number;
  /** Tokens of the vocabulary. */
  readonly words: number;
  /** Tokens of a sample. */
  readonly length: number;
}

/** GPT-2 small, of 124 million weights, on samples of 128 tokens. */
export const GPT2_SMALL: Gpt2 = { layers: 12, width: 768, heads: 12, words: 50_257, length: 128 };

/** Gelu is an operator since version 20. */
const VERSIONS = { opset: 20, irVersion: 9 };
/** Standard deviation of the initial weights. */
const DEVIATION = 0.02;
/** Added to the score of a token that is not seen yet. */
const NEVER = -1e9;

/** Writes the model to a file. @returns the number of its weights */
export function writeGpt2(file: string, model: Gpt2): number {
  const graph = gpt2Graph(model);
  writeFileSync(file, encodeOnnxModel(graph, {}, VERSIONS));
  return graph.initializers
    .filter(({ type }) => type === 'float32')
    .reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

function gpt2Graph({ layers, width, heads, words, length }: Gpt2): OnnxGraph {
  const initializers: OnnxGraph['initializers'][number][] = [];
  const nodes: OnnxNode[] = [];
  const draw = uniforms();
  const weight = (name: string, shape: readonly number[], fill?: number): string => {
    const data = new Float32Array(elementCount(shape));
    for (let i = 0; i < data.length; i++) data[i] = fill ?? DEVIATION * draw();
    initializers.push({ name, type: 'float32', shape, data });
    return name;
  };
  const integers = (name: string, values: readonly number[]): string => {
    const data = BigInt64Array.from(values, BigInt);
    initializers.push({ name, type: 'int64', shape: [values.length], data });
    return name;
  };
  const node = (op: string, name: string, inputs: string[], attributes?: Record<string, OnnxAttribute>): string => {
    nodes.push({ op, name, inputs, outputs: [name], ...(attributes && { attributes }) });
    return name;
  };
  const constant = (name: string, shape: readonly number[], values: Float32Array): string =>
    node('Constant', name, [], { value: { tensor: { type: 'float32', shape, data: values } } });
  const normalized = (name: string, x: string): string =>
    node('LayerNormalization', name, [x, weight(`${name}.weight`, [width], 1), weight(`${name}.bias`, [width], 0)]);
  const linear = (name: string, x: string, from: number, to: number): string =>
    node('Add', `${name}/y`, [
      node('MatMul', `${name}/product`, [x, weight(`${name}.weight`, [from, to])]),
      weight(`${name}.bias`, [to], 0),
    ]);

  const side = width / heads;
  const split = integers('heads', [0, length, heads, side]);
  const joined = integers('joined', [0, length, width]);
  const mask = constant('mask', [length, length], causal(length));
  const scale = constant('scale', [], Float32Array.of(1 / Math.sqrt(side)));
  const embedding = weight('wte.weight', [words, width]);
  let x = node('Add', 'embedded', [
    node('Gather', 'tokens', [embedding, 'input']),
    weight('wpe.weight', [length, width]),
  ]);
  for (let layer = 0; layer < layers; layer++) {
    const block = `h.${layer}`;
    const input = normalized(`${block}.ln_1`, x);
    const head = (name: string, perm: readonly number[]): string => {
      const own = linear(`${block}.attn.${name}`, input, width, width);
      return node('Transpose', `${own}/heads`, [node('Reshape', `${own}/split`, [own, split])], {
        perm: { ints: perm },
      });
    };
    const products = node('MatMul', `${block}/products`, [head('q', [0, 2, 1, 3]), head('k', [0, 2, 3, 1])]);
    const scores = node('Add', `${block}/scores`, [node('Mul', `${block}/scaled`, [products, scale]), mask]);
    const seen = node('Softmax', `${block}/seen`, [scores], { axis: { int: 3 } });
    const values = node('MatMul', `${block}/values`, [seen, head('v', [0, 2, 1, 3])]);
    const merged = node('Transpose', `${block}/merged`, [values], { perm: { ints: [0, 2, 1, 3] } });
    const attended = node('Reshape', `${block}/attended`, [merged, joined]);
    const between = node('Add', `${block}/between`, [x, linear(`${block}.attn.out`, attended, width, width)]);
    const hidden = linear(`${block}.mlp.fc`, normalized(`${block}.ln_2`, between), width, 4 * width);
    const active = node('Gelu', `${block}/active`, [hidden], { approximate: { string: 'tanh' } });
    x = node('Add', `${block}/y`, [between, linear(`${block}.mlp.out`, active, 4 * width, width)]);
  }
  const readout = node('Transpose', 'readout', [embedding], { perm: { ints: [1, 0] } });
  node('MatMul', 'logits', [normalized('ln_f', x), readout]);
  return {
    inputs: [{ name: 'input', type: 'int64', shape: ['batch', length] }],
    outputs: [{ name: 'logits', type: 'float32', shape: ['batch', length, words] }],
    initializers,
    nodes,
  };
}

/** Adds nothing to the scores of earlier tokens and of the token itself. */
function causal(length: number): Float32Array {
  return Float32Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? NEVER : 0));
}

/** Numbers of mean 0 and variance 1, drawn faster than by the generators of the product: a file needs many millions of them. */
function uniforms(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state / 2 ** 31) * Math.sqrt(3);
  };
}
