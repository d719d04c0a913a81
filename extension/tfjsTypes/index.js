/**
 * @file A plugin of TypeScript's server. DeepTwist gives TensorFlow.js to a model's module when it trains it, so that nothing has to be
 * installed; this gives the editor its types. An installed TensorFlow.js is left as it is.
 *
 * TypeScript loads a plugin by its name from `node_modules` of the extension, in Restricted Mode, too. It runs nothing of a workspace.
 * The frame is that of https://github.com/microsoft/TypeScript/wiki/Writing-a-Language-Service-Plugin.
 */
/* eslint-disable @typescript-eslint/no-require-imports -- TypeScript's server loads plugins as CommonJS. */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

/** Packages that a module gets when it is trained: all of them are TensorFlow.js, whose union package has all exports. */
const PROVIDED = new Set(['@tensorflow/tfjs', '@tensorflow/tfjs-core', '@tensorflow/tfjs-layers']);
const UNION = '@tensorflow/tfjs';

/** Places of the package: beside the bundles of an installed extension, and in a checkout. */
const FOLDERS = [join(__dirname, '..', '..', 'dist', 'node_modules'), join(__dirname, '..', '..', 'node_modules')];

/** @param {{ typescript: typeof import('typescript') }} modules */
function init({ typescript: ts }) {
  const folder = FOLDERS.find((path) => existsSync(join(path, UNION, 'dist', 'index.d.ts')));
  const types = folder && join(folder, UNION, 'dist', 'index.d.ts').replaceAll('\\', '/');

  /** @param {import('typescript').server.PluginCreateInfo} info */
  function create({ languageService, languageServiceHost: host, project }) {
    const resolve = host.resolveModuleNameLiterals?.bind(host);
    if (!resolve || types === undefined) return languageService;
    /** @type {NonNullable<import('typescript').LanguageServiceHost['resolveModuleNameLiterals']>} */
    const resolveWithTypes = (literals, ...context) => {
      const resolved = resolve(literals, ...context);
      return literals.map(({ text }, i) => {
        if (resolved[i].resolvedModule || !PROVIDED.has(text)) return resolved[i];
        // What was looked for in vain is kept: TypeScript then sees when it comes to be there.
        return {
          ...resolved[i],
          resolvedModule: {
            resolvedFileName: types,
            extension: ts.Extension.Dts,
            isExternalLibraryImport: true,
            resolvedUsingTsExtension: false,
          },
        };
      });
    };
    Object.assign(host, { resolveModuleNameLiterals: resolveWithTypes });
    project.projectService.logger.info(`deeptwist-tfjs-types: ${types}`);
    return languageService;
  }

  return { create };
}

module.exports = init;
