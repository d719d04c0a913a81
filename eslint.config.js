/**
 * @file Lint rules. The import floors of CONTRIBUTING.md ("Where a change belongs") are the rule
 * `import-x/no-restricted-paths` below: a folder or a file may import the floors under it, and itself.
 */
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Folders of `server/`, lowest floor first. Entry points (the last floor) never import one another. */
const serverFloors = [
  ['protocol', 'memory'],
  ['formats'],
  ['linalg', 'compiler', 'modules'],
  ['optimizers', 'compression', 'data', 'models', 'runs'],
  ['commandClient', 'inspect', 'sidecarClient', 'tracking'],
  ['training', 'proposals', 'sweeps'],
  ['export', 'sensitivity'],
  ['latency', 'search'],
  ['cli', 'sidecar', 'language', 'mcp'],
];

/** Folders and files of `extension/`. */
const extensionFloors = [
  ['dispose.ts', 'messages.ts', 'page', 'translation.ts'],
  ['trust.ts'],
  ['cli', 'sidecar'],
  ['runs'],
  ['services.ts', 'walkthrough'],
  [
    ...[
      'dashboard',
      'experiments',
      'language',
      'lastRun',
      'modelFiles',
      'newExperiment',
      'sensitivity',
      'sweeps',
      'tasks',
      'weightsInCode',
    ],
    ...['notifications.ts', 'statusBar.ts'],
  ],
  ['agents', 'commands'],
  ['workbench.ts'],
  ['main.ts'],
];

/** Folders and files of `webview/`. */
const webviewFloors = [
  ['messageShapes.ts'],
  ['element.ts', 'messages.ts', 'state.ts', 'translation.ts', 'viewContext.ts'],
  ['charts/model', 'controls', 'viewState.ts'],
  ['charts', 'startPage.ts'],
  ['views'],
  ['frame', 'modelFile', 'report', 'sensitivity', 'sweep'],
  ['main.ts'],
];

/** Folders and files of `runtime/`. */
const runtimeFloors = [
  ['assembly', 'generated'],
  ['kernels.ts', 'linearMemory.ts', 'layerConfig.ts'],
  ['matrices', 'graph.ts', 'plan.ts'],
  ['weightStore.ts'],
  ['layers'],
  ['model.ts'],
  ['load.ts'],
  ['index.ts'],
];

/** The language server reads what is known of a model; it neither loads one nor trains it. */
const barred = /** @type {Record<string, string[]>} */ ({
  language: [
    'training',
    'export',
    'latency',
    'modules',
    'compiler',
    'data',
    'memory',
    'sidecarClient',
    'commandClient',
    'sweeps',
    'search',
  ],
});

/**
 * The rule's zones for one root folder: what stands on a floor may import itself and the floors under it.
 * @param {string} root
 * @param {string[][]} floors
 */
const zonesOf = (root, floors) =>
  floors.flatMap((names, floor) =>
    names.map((name) => {
      const below = floors.slice(0, floor).flat();
      const allowed = [name, ...below.filter((other) => root !== 'server' || !barred[name]?.includes(other))];
      return {
        target: `./${root}/${name}`,
        from: `./${root}`,
        except: allowed.map((other) => `./${other}`),
        message: `${root}/${name} may import of ${root}/ only: ${allowed.join(', ')}.`,
      };
    }),
  );

/** The editor's side reads run folders and speaks the protocol; it never trains. The page knows the protocol alone. */
const serverZones = Object.entries({
  extension: ['protocol', 'runs', 'sidecarClient', 'commandClient'],
  webview: ['protocol'],
  runtime: ['protocol', 'formats'],
}).map(([target, allowed]) => ({
  target: `./${target}`,
  from: './server',
  except: allowed.map((name) => `./${name}`),
  message: `${target} may import of server/ only: ${allowed.join(', ')}.`,
}));

/**
 * What a method or a policy is stands in its row of facts: other code asks for the fact and not for the name. `custom`, `deeptwist`
 * and `factors` also name other things, so that only a comparison with them is an offence.
 */
const unambiguous =
  '/^(prune|quantize|low-rank|nuclear-norm|group-lasso|gradual-mask|dynamic-surgery|rigl|variational-dropout|one-shot|straight-through)$/';
const compared =
  '/^(prune|quantize|low-rank|nuclear-norm|group-lasso|custom|deeptwist|gradual-mask|dynamic-surgery|rigl|variational-dropout|one-shot|factors|straight-through)$/';
/** The form of a compressed weight is no method and no policy. */
const ofNoForm = ':not([left.property.name="form"]):not([left.expression.property.name="form"])';
const namesOfMethods = [
  `Literal[value=${unambiguous}]`,
  `TemplateElement[value.cooked=${unambiguous}]`,
  `Property > Identifier.key[name=${unambiguous}]`,
  `MemberExpression > Identifier.property[name=${unambiguous}]`,
  `BinaryExpression[operator=/^[!=]==$/]${ofNoForm} > Literal[value=${compared}]`,
  `SwitchCase > Literal[value=${compared}]`,
].map((selector) => ({
  selector,
  message: 'Ask for a fact of the method or policy: its row in server/protocol/experiment/methods/ has it, or gets it.',
}));
/** The rows of methods and policies, and the schema of their settings. */
const rowsOfMethods = [
  'server/protocol/experiment/{methods/**/*,schema/compression}.ts',
  'server/compression/{methods/**/*,policies}.ts',
];

const messageOfThrown = {
  selector:
    "ConditionalExpression[test.operator='instanceof'][test.right.name='Error'][consequent.property.name='message']",
  message: 'messageOf() or, for a log, stackOf() of server/protocol/thrown.ts.',
};

/** Linted with type information. */
export const typedFiles = [
  '{server,extension,webview,runtime,test}/**/*.ts',
  'scripts/**/*.js',
  'bin/**/*.js',
  'extension/tfjsTypes/*.js',
];

const waiting = 'A test waits for what it needs, not for a time: until() of test/until.ts, or expect.poll().';

export default tseslint.config(
  {
    ignores: [
      'node_modules',
      '**/node_modules',
      'dist',
      'out',
      '.cache',
      '**/generated',
      '**/assembly',
      '**/.deeptwist',
    ],
  },
  ...tseslint.configs.recommended,
  {
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.js'] })],
    },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
    },
  },
  {
    files: typedFiles,
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'onnxruntime-node',
              allowTypeImports: true,
              message: 'server/formats/onnxRuntime.ts loads it, without its telemetry.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['{server,extension,webview,runtime}/**/*.ts'],
    rules: {
      'import-x/no-restricted-paths': [
        'error',
        {
          basePath: import.meta.dirname,
          zones: [
            ...zonesOf('server', serverFloors),
            ...zonesOf('extension', extensionFloors),
            ...zonesOf('webview', webviewFloors),
            ...zonesOf('runtime', runtimeFloors),
            ...serverZones,
          ],
        },
      ],
    },
  },
  {
    files: ['{server,extension,webview,runtime}/**/*.ts'],
    ignores: ['server/protocol/thrown.ts'],
    rules: { 'no-restricted-syntax': ['error', messageOfThrown] },
  },
  {
    files: ['{server,extension,webview,runtime}/**/*.ts'],
    ignores: ['server/protocol/thrown.ts', ...rowsOfMethods],
    rules: { 'no-restricted-syntax': ['error', messageOfThrown, ...namesOfMethods] },
  },
  {
    files: ['extension/**/*.ts'],
    ignores: ['extension/messages.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['showInformationMessage', 'showWarningMessage', 'showErrorMessage'].map((property) => ({
          object: 'window',
          property,
          message: 'VS Code makes links of what files say in it: use extension/messages.ts.',
        })),
      ],
    },
  },
  {
    files: ['server/protocol/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['node:*', 'vscode'], message: 'protocol/ runs in the editor, the sidecar and the browser.' },
          ],
        },
      ],
    },
  },
  {
    files: ['runtime/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^[^.]', message: 'runtime/ runs in a browser, too, and has no dependencies.' }] },
      ],
    },
  },
  {
    files: ['test/{unit,vscode,e2e,webview}/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: [{ name: 'node:timers/promises', message: waiting }], patterns: [] }],
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "NewExpression[callee.name='Promise'] > ArrowFunctionExpression > CallExpression[callee.name='setTimeout'][arguments.length=2]",
          message: waiting,
        },
        { selector: "MemberExpression[property.name='waitForTimeout']", message: waiting },
        {
          selector:
            'MemberExpression[object.name=/^(describe|it|test)$/][property.name=/^(skip|skipIf|only|todo|fails)$/]',
          message: 'A test that is passed over in silence proves nothing: let it fail, and say what is missing.',
        },
      ],
    },
  },
  {
    files: ['test/unit/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [{ name: 'node:timers/promises', message: waiting }],
          patterns: [
            {
              group: [
                'playwright-core',
                '**/editor/workbench.js',
                '**/editor/serve.js',
                '**/webview/dashboardPage.ts',
                '**/webview/openedDashboard.ts',
              ],
              message: 'A test that needs a browser or an editor belongs in test/webview/, test/e2e/ or test/vscode/.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['scripts/**/*.js', 'bin/**/*.js', 'test/{bench,journeys,screenshots}/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
);
