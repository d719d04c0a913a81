/**
 * @file Builds what the package ships, in `dist/`: the command line, the workers that load a user's data module, decode images and update weights, the runtime, and
 * the experiment file's JSON schema. The schema is written last: its time tells whether a build is complete.
 * `node scripts/build.js FOLDER` makes the bundles of server/ alone, in another folder.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as esbuild from 'esbuild';
import { createJiti } from 'jiti';
import { rolldown } from 'rolldown';
import ts from 'typescript';
import { buildWasm } from './build-wasm.js';
import { documentation } from './packageTexts.js';
import { root } from './root.js';

const dist = join(root, 'dist');

/** What stays outside the bundles: native binaries, files found by path at run time, and a user's own copy of tfjs. */
const external = ['@tensorflow/*', '@jsquash/*', 'onnxruntime-node', 'jiti'];

/** @type {esbuild.BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  // A package's ES module can be bundled as one; the `main` of jsonc-parser, a UMD wrapper, cannot.
  mainFields: ['module', 'main'],
  sourcemap: true,
  logLevel: 'warning',
};

/**
 * TensorFlow.js is CommonJS: of an `import`, Node reads all of it once more, for the names of its exports, 0.2 s of every
 * start. A `require` gives the same module without that.
 * @type {esbuild.Plugin}
 */
const requireTensorflow = {
  name: 'require-tensorflow',
  setup({ onResolve, onLoad }) {
    const path = '@tensorflow/tfjs';
    onResolve({ filter: /^@tensorflow\/tfjs$/ }, ({ kind }) =>
      kind === 'require-call' ? { path, external: true } : { path, namespace: 'required' },
    );
    onLoad({ filter: /.*/, namespace: 'required' }, () => ({ contents: `module.exports = require('${path}');` }));
  },
};

/** @type {esbuild.BuildOptions} */
const forNode = {
  ...common,
  splitting: true,
  platform: 'node',
  target: 'node20',
  // CommonJS packages (vscode-jsonrpc) ask for Node's modules by `require`, which an ES module does not have.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
};

/** @param {string} folder @returns {esbuild.BuildOptions} */
function serverBundle(folder) {
  return {
    ...forNode,
    entryPoints: {
      cli: 'server/cli/main.ts',
      sidecar: 'server/sidecar/main.ts',
      language: 'server/language/main.ts',
      mcp: 'server/mcp/main.ts',
      report: 'webview/report/report.ts',
      moduleWorker: 'server/data/module/moduleWorker.ts',
      imageWorker: 'server/data/images/imageWorker.ts',
      kernelWorker: 'server/optimizers/kernelWorker.ts',
      modelFileReader: 'server/inspect/reader.ts',
      proposals: 'server/proposals/reader.ts',
      sweepReader: 'server/sweeps/reader.ts',
      // Loaded by the extension where a file of Python code is shown.
      pythonModules: 'server/protocol/model/pythonModules.ts',
      latencyContender: 'server/latency/contenderProcess.ts',
    },
    // The trainer, with TensorFlow.js and ONNX Runtime, is loaded by what trains, from a chunk of its own.
    outdir: folder,
    external,
    plugins: [requireTensorflow],
  };
}

/** Reads the JSON schema of experiment files that {@link writeSchema} has written beside the folder of the extension's bundle. */
const readsSchema = `import { readFileSync } from 'node:fs';
let schema;
export function experimentJsonSchema() {
  return (schema ??= JSON.parse(readFileSync(new URL('../experiment.schema.json', import.meta.url), 'utf8')));
}`;

/**
 * Leaves what makes a JSON schema of a zod schema out of the extension's bundle, a twentieth of it: the build has made the one that there is.
 * @type {import('rolldown').Plugin}
 */
const withoutSchemaMaker = {
  name: 'without-schema-maker',
  load(id) {
    const path = id.replaceAll('\\', '/');
    if (path.endsWith('/server/protocol/experiment/experimentJsonSchema.ts')) return readsSchema;
    if (!/\/zod\/v4\/core\/(?:json-schema-processors|to-json-schema)\.js$/.test(path)) return undefined;
    const names = [...readFileSync(id, 'utf8').matchAll(/^export (?:const|function) (\w+)/gm)].map(([, name]) => name);
    return `const nothing = () => undefined;\nexport { ${['process', ...names].map((name) => `nothing as ${name}`).join(', ')} };`;
  },
};

/**
 * Leaves the texts of settings out of the extension's bundle, half of the schema: the extension shows those of the JSON schema, a file.
 * @type {import('rolldown').Plugin}
 */
const withoutSettingTexts = {
  name: 'without-setting-texts',
  transform(code, id) {
    if (!/[\\/]server[\\/]protocol[\\/]experiment[\\/]schema(?:[\\/]\w+)?\.ts$/.test(id)) return undefined;
    const source = ts.createSourceFile(id, code, ts.ScriptTarget.Latest);
    /** The places of the texts, in the order of the file; none lies in another. @type {[start: number, end: number][]} */
    const texts = [];
    const visit = (/** @type {ts.Node} */ node) => {
      if (ts.isCallExpression(node) && isSettingText(node.expression)) {
        visit(node.expression.expression);
        texts.push([node.expression.expression.end, node.end]);
      } else ts.forEachChild(node, visit);
    };
    visit(source);
    const blank = (/** @type {number} */ start, /** @type {number} */ end) =>
      code.slice(start, end).replace(/[^\n]/g, ' ');
    // With blanks in their place, the rest stands where it stood, as the source map says.
    const rest = texts.reduceRight(
      (all, [start, end]) => all.slice(0, start) + blank(start, end) + all.slice(end),
      code,
    );
    return { code: rest, map: null };
  },
};

/** @param {ts.Expression} called @returns {called is ts.PropertyAccessExpression} true for `schema.describe` and `schema.meta` */
function isSettingText(called) {
  return ts.isPropertyAccessExpression(called) && ['describe', 'meta'].includes(called.name.text);
}

/**
 * What runs in the extension host, and the worker that reads logs. All that activation needs is in two chunks: one that the worker
 * shares, and one that imports `vscode`. VS Code takes about a millisecond for each file that it loads, and esbuild, which has no groups
 * of modules, makes 22 files of the same modules. What a command or a view needs is in chunks that are loaded when they are asked for.
 * @template T
 * @param {string} folder
 * @param {(bundle: import('rolldown').RolldownBuild, output: import('rolldown').OutputOptions) => Promise<T>} use
 */
async function bundleExtension(folder, use) {
  const entry = (/** @type {string} */ path) => join(root, 'extension', path);
  const workbench = entry('workbench.ts');
  const runReader = entry('dashboard/runReader.ts');
  /** By such a module, it and all that it imports. @type {Map<string, Set<string>>} */
  const closures = new Map();
  const bundle = await rolldown({
    cwd: root,
    input: {
      extension: entry('main.ts'),
      runReader,
      // Named, to be told from the chunks of every window: it has the client of the language server.
      language: entry('language/languageServer.ts'),
    },
    platform: 'node',
    external: ['vscode'],
    resolve: { mainFields: common.mainFields },
    transform: { target: forNode.target },
    plugins: [
      withoutSchemaMaker,
      withoutSettingTexts,
      {
        name: 'closures',
        buildEnd() {
          for (const start of [workbench, runReader]) {
            const closure = new Set([start]);
            for (const id of closure)
              for (const imported of this.getModuleInfo(id)?.importedIds ?? []) closure.add(imported);
            closures.set(start, closure);
          }
        },
      },
    ],
  });
  const isIn = (/** @type {string} */ start, /** @type {string} */ id) => closures.get(start)?.has(id) === true;
  try {
    return await use(bundle, {
      dir: folder,
      format: 'esm',
      minify: true,
      // No bundler reads the files again: which calls are pure need not stand in them.
      comments: { annotation: false },
      sourcemap: true,
      codeSplitting: {
        groups: [
          { name: 'shared', test: (id) => isIn(workbench, id) && isIn(runReader, id), priority: 1 },
          { name: 'workbench', test: (id) => isIn(workbench, id) },
        ],
      },
    });
  } finally {
    await bundle.close();
  }
}

/** @param {string} folder @returns {esbuild.BuildOptions} */
function dashboardBundle(folder) {
  return {
    ...common,
    entryPoints: {
      dashboard: 'webview/main.ts',
      'dashboard-style': 'webview/dashboard.css',
      modelFile: 'webview/modelFile/main.ts',
      'modelFile-style': 'webview/modelFile/modelFile.css',
      sweep: 'webview/sweep/main.ts',
      'sweep-style': 'webview/sweep/sweep.css',
      sensitivity: 'webview/sensitivity/main.ts',
      'sensitivity-style': 'webview/sensitivity/sensitivity.css',
    },
    // What several pages have is in chunks that they share.
    splitting: true,
    outdir: join(folder, 'webview'),
    minify: true,
    platform: 'browser',
    // The `main` of @vscode/l10n is for Node.
    mainFields: ['browser', 'module', 'main'],
    target: 'chrome128',
  };
}

/** Names of properties in the runtime that are often written and never seen from outside. */
const unseenNames = `
  address buckets? className coded coded(Left|Right) copyRow forEachCode forEachPosition inner inOrderOfTime isSingle isStep
  isStepwise kernels leftOf multiply nested offsets outer parameters rebuild requireChannelsLast reserveScratch returnsSequences scales
  scratch scratchBytes sections
`
  .trim()
  .split(/\s+/);

/** @param {string} folder @returns {esbuild.BuildOptions} the runtime, a file that browsers and Node.js load */
export function runtimeBundle(folder) {
  return {
    ...common,
    entryPoints: { index: 'runtime/index.ts' },
    outdir: join(folder, 'runtime'),
    minify: true,
    // It reads packed files, and writes none.
    dropLabels: ['writing'],
    mangleProps: new RegExp(`^(${unseenNames.join('|')})$`),
    // The runtime uses nothing that only Node.js or only a browser has.
    platform: 'neutral',
    target: 'es2022',
  };
}

/** @returns {string} the declarations of the runtime, which its entry has all by itself */
export function declarations() {
  const source = readFileSync(join(root, 'runtime', 'index.ts'), 'utf8');
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext };
  return ts.transpileDeclaration(source, { compilerOptions, fileName: 'index.ts' }).outputText;
}

/** @returns {Promise<string[]>} the files of which something is in a bundle, from the root */
export async function bundledFiles() {
  const bundles = [serverBundle(dist), dashboardBundle(dist), runtimeBundle(dist)];
  const results = await Promise.all(
    bundles.map((options) => esbuild.build({ ...options, write: false, metafile: true })),
  );
  const outputs = results.flatMap(({ metafile }) => Object.values(metafile.outputs));
  const { output } = await bundleExtension(dist, (bundle, options) => bundle.generate(options));
  const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  return [
    ...new Set([
      ...outputs.flatMap(({ inputs }) => Object.keys(inputs)),
      ...modules.filter((path) => isAbsolute(path)).map((path) => relative(root, path).replaceAll('\\', '/')),
    ]),
  ];
}

/** @param {string} folder */
async function bundleServer(folder) {
  rmSync(folder, { recursive: true, force: true });
  await esbuild.build(serverBundle(folder));
  writeDocs(folder);
}

/** The documentation, which the editor shows, and whose pages the server of agents gives to its clients. @param {string} folder */
function writeDocs(folder) {
  for (const [path, content] of documentation(join(root, 'docs'))) {
    const file = join(folder, 'docs', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

async function writeSchema() {
  const load = createJiti(import.meta.url);
  /** @type {typeof import('../server/protocol/experiment/experimentJsonSchema.ts')} */
  const { experimentJsonSchema } = await load.import('../server/protocol/experiment/experimentJsonSchema.ts');
  writeFileSync(join(dist, 'experiment.schema.json'), `${JSON.stringify(experimentJsonSchema(), null, 2)}\n`);
}

export async function build() {
  buildWasm();
  await bundleServer(dist);
  for (const bundle of [dashboardBundle(dist), runtimeBundle(dist)]) await esbuild.build(bundle);
  writeFileSync(join(dist, 'runtime', 'index.d.ts'), declarations());
  await bundleExtension(join(dist, 'extension'), (bundle, options) => bundle.write(options));
  await writeSchema();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = parseArgs({ allowPositionals: true }).positionals;
  await (folder === undefined ? build() : bundleServer(folder));
}
