/** @file The passes over a traced graph, and their order. */
import { checkGraph } from './check.ts';
import { topologicalOrder, type Graph } from './ir.ts';
import { eliminateCommonSubexpressions } from './passes/commonSubexpressions.ts';
import { takeDotProducts } from './passes/dotProducts.ts';
import { foldConstants } from './passes/foldConstants.ts';
import { simplifyGelus } from './passes/gelu.ts';
import { joinProductsOfSharedOperand, joinSumsOfProducts } from './passes/joinProducts.ts';
import { recogniseLogSoftmax } from './passes/logSoftmax.ts';
import { makeSigmoidsPrecise } from './passes/preciseSigmoid.ts';
import { reassociate } from './passes/reassociate.ts';
import { simplify } from './passes/simplify.ts';
import { sinkTransposes } from './passes/sinkTransposes.ts';
import { tilePooling } from './passes/tilePooling.ts';
import { fuseSparseCrossEntropy } from './passes/sparseCrossEntropy.ts';

interface Pass {
  readonly name: string;
  readonly run: (graph: Graph) => Graph | Promise<Graph>;
}

/** Rounds of simplification after which a graph is taken as it is; each shrinks it, few are ever needed. */
const MOST_ROUNDS = 12;

/** Simplifies until nothing changes. Code that no output needs falls away with every rebuild of the graph. */
function cleanUp(graph: Graph): Graph {
  let current = graph;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = topologicalOrder(current);
    current = eliminateCommonSubexpressions(sinkTransposes(simplify(current)));
    const after = topologicalOrder(current);
    if (after.length === before.length && after.every((node, index) => node === before[index])) break;
  }
  return current;
}

export const passes = {
  'clean-up': cleanUp,
  'log-softmax': recogniseLogSoftmax,
  'sparse-cross-entropy': fuseSparseCrossEntropy,
  gelu: simplifyGelus,
  'tile-pooling': tilePooling,
  reassociate,
  'join-products': joinProductsOfSharedOperand,
  'join-sums-of-products': joinSumsOfProducts,
  'dot-products': takeDotProducts,
  'precise-sigmoid': makeSigmoidsPrecise,
  'fold-constants': foldConstants,
} as const satisfies Record<string, Pass['run']>;

export type PassName = keyof typeof passes;

const pipeline: readonly PassName[] = [
  'clean-up',
  'log-softmax',
  'sparse-cross-entropy',
  'gelu',
  'tile-pooling',
  'reassociate',
  'join-sums-of-products',
  'join-products',
  'dot-products',
  'clean-up',
  'precise-sigmoid',
  'fold-constants',
];

/** @param skipped passes to leave out, to measure what they give */
export async function optimize(graph: Graph, skipped: ReadonlySet<PassName> = new Set()): Promise<Graph> {
  let current = graph;
  for (const name of pipeline) {
    if (skipped.has(name)) continue;
    const next = await passes[name](current);
    checkGraph(next, name, current);
    current = next;
  }
  return current;
}
