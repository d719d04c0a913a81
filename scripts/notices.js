/**
 * @file The licences of what a package of the extension has from others, in one text: of every npm package that is bundled or
 * shipped beside the bundles, by its own licence files. `notices/` has what npm packages leave out: ONNX Runtime's notices, as
 * its release for Python has them, the licences of what the server of the Model Context Protocol bundles, and the text of the Apache License.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundledFiles } from './build.js';
import { root } from './root.js';

/** Compiled into the WebAssembly of `generated/`, of which no bundler knows. */
const COMPILED = ['node_modules/assemblyscript'];

/** Packages with others inside their own bundles, and the file of `notices/` with the names and licences of these. */
const BUNDLES = { '@modelcontextprotocol/server': 'scripts/notices/modelcontextprotocol-server.txt' };

/** @typedef {{ name: string, version: string, license?: string, author?: string | { name: string } }} Manifest */

/**
 * @param {readonly string[]} shipped files beside the bundles, from the root
 * @returns {Promise<string>}
 */
export async function thirdPartyNotices(shipped) {
  const folders = new Set([...(await bundledFiles()), ...shipped].flatMap((file) => packageOf(file) ?? []));
  /** Packages by their text: many have the same. @type {Map<string, string[]>} */
  const byText = new Map();
  for (const folder of [...folders, ...COMPILED].sort()) {
    const manifest = /** @type {Manifest} */ (JSON.parse(read(`${folder}/package.json`)));
    const text = licenceOf(folder, manifest);
    byText.set(text, [...(byText.get(text) ?? []), `${manifest.name} ${manifest.version}`]);
  }
  const parts = Array.from(byText, ([text, names]) => `${names.join('\n')}\n\n${text}`);
  for (const [name, file] of Object.entries(BUNDLES)) if (folders.has(`node_modules/${name}`)) parts.push(read(file));
  const intro = 'DeepTwist for VS Code contains software of others. Its parts, and the licences that they came with:';
  return [intro, ...parts].join(`\n\n${'='.repeat(80)}\n\n`) + '\n';
}

/** The folder of the package that a file belongs to. @param {string} file */
function packageOf(file) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];
}

/** @param {string} folder @param {Manifest} manifest @returns {string} */
function licenceOf(folder, { name, license, author }) {
  if (name.startsWith('onnxruntime-'))
    return `${read('scripts/notices/onnxruntime.txt')}\n\n${read('scripts/notices/onnxruntime-third-party.txt')}`;
  // libjpeg's, of which its WebAssembly is made.
  if (name === '@jsquash/jpeg') return [`${folder}/LICENSE`, `${folder}/codec/LICENSE.codec.md`].map(read).join('\n\n');
  const files = readdirSync(join(root, folder)).filter((file) =>
    /^(licen[cs]e|copying|notices?|copyrightnotice|thirdpartynotices)(\.\w+)?$/i.test(file),
  );
  if (files.some((file) => /^(licen[cs]e|copying)/i.test(file)))
    return files.map((file) => read(`${folder}/${file}`)).join('\n\n');
  // The files of TensorFlow.js name Google LLC.
  const holder = name.startsWith('@tensorflow/') ? 'Google LLC' : typeof author === 'string' ? author : author?.name;
  const texts = (license ?? '').split(' AND ').map((id) => {
    if (id === 'Apache-2.0') return read('scripts/notices/Apache-2.0.txt');
    if (id === 'MIT' && holder !== undefined) return `Copyright (c) ${holder}\n\n${mit}`;
    throw new Error(`${name} has no licence file, and no text is known for "${license}": add one to scripts/notices/.`);
  });
  return texts.join('\n\n');
}

/** @param {string} path from the root */
function read(path) {
  if (!existsSync(join(root, path))) throw new Error(`${path} is missing: the notices cannot be written.`);
  return readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n').trim();
}

const mit = `MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR
ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH
THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
