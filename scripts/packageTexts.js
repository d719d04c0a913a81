/**
 * @file README.md and CHANGELOG.md as the editor shows them of an installed package. A repository makes addresses of their relative links and pictures,
 * which vsce does. Without one, a picture would be missing and a link lead nowhere: the editor loads pictures by https or from the text alone.
 */
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

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
