import { TextDocument } from 'vscode-languageserver-textdocument';
import { expect, test } from 'vitest';
import { ExperimentDocument } from '../../../../server/language/experimentDocument.ts';
import { findingsOf } from '../../../../server/language/findings/index.ts';
import { around, pruneText } from './experiments.ts';

test.each([
  [2, 2, []],
  [1, 2, ['warning: training.threads: this machine has 1 core: 2 threads make each step slower than 1 do']],
  [2, 8, ['warning: training.threads: this machine has 2 cores: 8 threads make each step slower than 2 do']],
  [2, 9, ['error: training.threads: expected at most 8, since this machine has 2 cores, got 9']],
])('on %d cores, %d threads: %j', (cores, threads, expected) => {
  const text = pruneText.replace('"batchSize": 50', `"batchSize": 50, "threads": ${threads}`);
  const document = new ExperimentDocument(TextDocument.create('file:///e.deeptwist.jsonc', 'deeptwist', 1, text));
  const found = findingsOf(document, around({ cores })).filter(({ code }) => code === 'too-many-threads');
  expect(found.map(({ severity, message }) => `${severity === 1 ? 'error' : 'warning'}: ${message}`)).toEqual(expected);
  for (const { fixes = [] } of found) {
    const [{ newText, range }] = fixes[0].edits();
    const mended = text.slice(0, range.start) + newText + text.slice(range.end);
    expect(mended).toContain(`"threads": ${cores}`);
  }
});
