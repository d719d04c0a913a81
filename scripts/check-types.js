/**
 * @file Checks the types of every project and lints every file, as `npm run types` and `npm run lint` do, in one process:
 * the rules find the types where the check has left them. That takes two thirds of the processor's time.
 */
import { ESLint } from 'eslint';
import ts from 'typescript';
import { typedFiles } from '../eslint.config.js';
import { root } from './root.js';

process.chdir(root);

/** @returns {{ exitCode: number, programs: ts.Program[] }} the programs of all projects, checked afresh; what is wrong is printed */
function checkTypes() {
  /** @type {ts.Program[]} */
  const programs = [];
  const format = {
    getCanonicalFileName: (/** @type {string} */ name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => '\n',
  };
  const host = ts.createSolutionBuilderHost(ts.sys, undefined, (diagnostic) =>
    console.log(ts.formatDiagnostic(diagnostic, format).trimEnd()),
  );
  host.afterProgramEmitAndDiagnostics = (builder) => programs.push(builder.getProgram());
  return { exitCode: ts.createSolutionBuilder(host, ['tsconfig.json'], { force: true }).build(), programs };
}

/** @param {ts.Program[]} programs @returns {Promise<number>} how much is wrong, which is printed */
async function lint(programs) {
  const languageOptions = { parserOptions: { projectService: false, programs } };
  const eslint = new ESLint({ overrideConfig: { files: typedFiles, languageOptions } });
  const results = await eslint.lintFiles('.');
  console.log(await (await eslint.loadFormatter()).format(results));
  return results.reduce((sum, { errorCount, warningCount }) => sum + errorCount + warningCount, 0);
}

const { exitCode, programs } = checkTypes();
const problems = await lint(programs);
process.exitCode = exitCode !== 0 || problems > 0 ? 1 : 0;
