/**
 * @file The benchmark `inference` in a page of a browser without a screen, one thread each: the built runtime on packed files against
 * onnxruntime-web and TensorFlow.js's WebAssembly backend on the dense weights.
 */
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../scripts/editor/workbench.js';
import { encodeOnnxModel } from '../../server/formats/onnx.ts';
import { measureAll, type Benchmark, type Case, type Contender } from './bench.ts';
import type { Started } from './contenders/inferencePage.ts';
import {
  bytesOf,
  checkAgreement,
  denseWeights,
  fileOf,
  inferenceWorks,
  packedBytes,
  type Work,
} from './inferenceModels.ts';
import { serveInferencePages, type InferencePages } from './inferencePages.ts';

/** All compute in float32, in another order; the sums of codes have 21 bits. */
const TOLERANCE = 1e-4;

/** Calls a function of contenders/inferencePage.ts: a text, since modules of the benchmark are not those of the page. */
function call<T>(page: Page, name: string, ...values: readonly unknown[]): Promise<T> {
  return page.evaluate<T>(`contenders.${name}(${values.map((value) => JSON.stringify(value)).join(', ')})`);
}

interface Rival {
  readonly name: string;
  /** The function of the page that opens it, and its arguments. */
  readonly start: readonly [string, ...unknown[]];
}

function rivalsOf(work: Work): Rival[] {
  const { specs } = denseWeights(work);
  const onnx = Object.entries(work.graphs).map(([way, { inputs }], i): Rival => ({
    name: `onnxruntime-web, dense, ${way}`,
    start: ['startOnnxRuntime', `/${i}.onnx`, inputs, work.result],
  }));
  const tensorFlow = (way: string, ...start: Rival['start']): Rival => ({
    name: `tfjs-wasm, dense, ${way}`,
    start,
  });
  if (!work.isSequence) return [...onnx, tensorFlow('layers', 'startTensorFlowModel', work.topology, specs)];
  return [
    ...onnx,
    tensorFlow('two products', 'startTensorFlowSteps', specs, false),
    tensorFlow('product of both', 'startTensorFlowSteps', specs, true),
  ];
}

function caseOf(
  work: Work,
  { rounds, inputs }: { rounds: number; inputs: number },
  pages: InferencePages,
  browser: Browser,
): Case {
  const { name, target, x } = work;
  let shared: { page: Page; expected: number[] } | undefined;
  const contender = (page: Page, place: number, name: string, description: Contender['description']): Contender => ({
    ...{ name, description, round: () => call<number>(page, 'round', place, inputs) },
    // All of them are closed with their page.
    close: () => page.close(),
  });
  return {
    ...{ name, threads: 1, unit: 'µs', better: 'lower', target, rounds },
    ours: async () => {
      const graphs = Object.values(work.graphs).map((graph, i) => [`/${i}.onnx`, encodeOnnxModel(graph)] as const);
      const page = await pages.open(browser, {
        ...Object.fromEntries(graphs),
        ...{ '/packed': fileOf(work), '/dense': denseWeights(work).bytes, '/x': bytesOf(x) },
      });
      const { place, first } = await call<Started>(page, 'startRuntime', work.isSequence);
      shared = { page, expected: first };
      return contender(page, place, 'deeptwist/runtime', {
        packedBytes: packedBytes(work),
        browser: browser.version(),
      });
    },
    rivals: rivalsOf(work).map((rival) => async () => {
      if (!shared) throw new Error('Ours comes first.');
      const { page, expected } = shared;
      const { place, first, version } = await call<Started>(page, ...rival.start);
      checkAgreement(expected, first, `${name}, ${rival.name}`, TOLERANCE);
      return contender(page, place, rival.name, { version, threads: 1 });
    }),
  };
}

export default {
  options: { rounds: { type: 'string', default: '15' }, inputs: { type: 'string', default: '200' } },
  async run({ rounds, inputs }) {
    const pages = await serveInferencePages();
    try {
      const browser = await launchBrowser();
      try {
        const sizes = { rounds: Number(rounds), inputs: Number(inputs) };
        return await measureAll(inferenceWorks().map((work) => caseOf(work, sizes, pages, browser)));
      } finally {
        await browser.close();
      }
    } finally {
      pages.close();
    }
  },
} satisfies Benchmark;
