import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pathWord } from '../../../server/runs/pathWord.ts';

test.each([
  ['/a/b/c', 'c'],
  ['/a/b', '.'],
  ['/a/x-1/c', '../x-1/c'],
  ['/a/b/-c', './-c'],
  ['/a/b/R&D', "'R&D'"],
])('the word for %s in /a/b is %s', (path, word) => {
  expect(pathWord(path, '/a/b')).toBe(word);
});

test('a shell takes the word as the path, whatever is in it', () => {
  const names = ["it's", 'a b', '$HOME', '`id`', '=x', '~', '!!', 'a"b', '-n', '#', 'a\\b', 'Ü*?[x]{1,2}'];
  const words = names.map((name) => pathWord(join('/a', name), '/a')).join(' ');
  const taken = execFileSync('sh', ['-c', `for word in ${words}; do printf '%s\\n' "$word"; done`], {
    encoding: 'utf8',
  });
  expect(taken.trimEnd().split('\n')).toEqual(names.map((name) => (name === '-n' ? './-n' : name)));
});
