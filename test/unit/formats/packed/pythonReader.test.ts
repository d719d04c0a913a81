import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { encodePacked, type PackedWeight } from '../../../../server/formats/packed/packedFile.ts';
import { SparseWeight } from '../../../../server/formats/packed/sparse.ts';
import { weights } from '../../fuzz/subjects/packed.ts';

const hasPython = spawnSync('python3', ['-c', 'import sys; assert sys.version_info >= (3, 8)']).status === 0;

const folder = mkdtempSync(join(tmpdir(), 'deeptwist-python-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A pruned weight with such gaps before its numbers. */
function withGaps(count: number, gapOf: (i: number) => number): SparseWeight {
  const rows = Array.from({ length: count }, (_, i) => [...new Array<number>(gapOf(i)).fill(0), i - 1.25]).flat();
  const weight = SparseWeight.of([rows.length], Float32Array.from(rows));
  if (weight.form === 'dense') throw new TypeError('Its index takes more than its zeros.');
  return weight;
}

/** Pruned weights by the kind of their index. */
const pruned = {
  bitmask: withGaps(60, (i) => i % 2),
  gaps: withGaps(60, (i) => i % 7),
  rice: withGaps(14, (i) => [0, 1, 2, 3, 4, 5, 40][i % 7]),
  huffman: withGaps(600, (i) => (i % 4 === 0 ? 48 : 0)),
};

test.runIf(hasPython)('the reader in docs/format.md gives the numbers of every form to the bit', () => {
  const [, code] = /```python\n(.*?)```/s.exec(readFileSync('docs/format.md', 'utf8'))!;
  writeFileSync(join(folder, 'reader.py'), code);
  for (const [kind, { index }] of Object.entries(pruned)) expect(index.kind).toBe(kind);
  const all = new Map<string, PackedWeight>([...weights, ...Object.entries(pruned)]);
  writeFileSync(join(folder, 'w.safetensors'), encodePacked(all));
  const script = `
import json, struct, sys
from reader import read
print(json.dumps({name: [shape, struct.pack(f"<{len(numbers)}f", *numbers).hex()]
                  for name, (shape, numbers) in read("w.safetensors").items()}))`;
  const printed = execFileSync('python3', ['-c', script], { cwd: folder, encoding: 'utf8' });
  const read: unknown = JSON.parse(printed);
  const expected = Array.from(all, ([name, weight]) => {
    const { buffer, byteOffset, byteLength } = weight.rebuild();
    return [name, [weight.shape, Buffer.from(buffer, byteOffset, byteLength).toString('hex')]];
  });
  expect(read).toEqual(Object.fromEntries(expected));
});
