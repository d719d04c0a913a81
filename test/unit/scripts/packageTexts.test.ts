import { join, posix } from 'node:path';
import { expect, test } from 'vitest';
import { documentation } from '../../../scripts/packageTexts.js';
import { root } from '../../../scripts/root.js';

const files = documentation(join(root, 'docs'));
const pages = [...files].filter(([path]) => path.endsWith('.md')).map(([path, text]) => [path, String(text)] as const);

test('the packed documentation has every page, and the pictures that they show alone', () => {
  expect([...files.keys()]).toEqual(
    expect.arrayContaining(['README.md', 'results/what-holds.md', 'images/model-dark.png']),
  );
  const text = pages.map(([, page]) => page).join('\n');
  const unseen = [...files.keys()].filter((path) => path.endsWith('.png') && !text.includes(`(${path})`));
  expect(unseen).toEqual([]);
});

test.each(pages)('the links of the packed %s lead to what is packed', (page, text) => {
  const links = [...text.matchAll(/\]\((?!\w+:|#)([^)\s#]+)[^)\s]*\)/g)].map(([, link]) => link);
  expect(links.filter((link) => !files.has(posix.join(posix.dirname(page), link)))).toEqual([]);
});

test('a link that leads out of the packed documentation is left as its words', () => {
  expect(files.get('README.md')).toContain('For contributors, after CONTRIBUTING:');
});
