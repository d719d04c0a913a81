/**
 * @file The texts of an installed package. README.md and CHANGELOG.md are shown by the editor's page of the extension. A repository makes addresses of
 * their relative links and pictures, which vsce does. Without one, a picture would be missing and a link lead nowhere: the editor loads pictures by
 * https or from the text alone. The documentation is shown by the editor's preview of Markdown, which follows links to files.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { extname, join, posix } from 'node:path';

/** A link or a picture of Markdown whose address is a path. */
const RELATIVE = /(!?)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)/g;

/**
 * The text with its pictures in it, and links as the words that they are.
 * @param {string} text @param {string} folder where its paths begin
 * @returns {string}
 */
export function selfContained(text, folder) {
  return text.replace(RELATIVE, (_, isPicture, words, path) => {
    if (!isPicture) return words;
    const data = readFileSync(join(folder, path)).toString('base64');
    return `![${words}](data:image/${extname(path).slice(1)};base64,${data})`;
  });
}

/**
 * The documentation: its texts, and the files beside them that they link to or show. A link that leads to nothing of it is left as its words.
 * @param {string} folder @returns {Map<string, string | Buffer>} by path from the folder
 */
export function documentation(folder) {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/'));
  const inside = new Set(paths.filter((path) => statSync(join(folder, path)).isFile()));
  /** @type {Map<string, string | Buffer>} */
  const files = new Map();
  for (const page of [...inside].filter((path) => path.endsWith('.md'))) {
    const text = readFileSync(join(folder, page), 'utf8').replace(RELATIVE, (link, _, words, address) => {
      const path = posix.join(posix.dirname(page), address.split('#')[0]);
      if (!inside.has(path)) return words;
      if (!path.endsWith('.md')) files.set(path, readFileSync(join(folder, path)));
      return link;
    });
    files.set(page, text);
  }
  return files;
}
