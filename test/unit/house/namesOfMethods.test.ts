import { describe, expect, test } from 'vitest';
import { brokenRules } from './brokenRules.ts';

describe('outside the rows of methods and policies, no code asks for one by its name', () => {
  test.each([
    ["declare const method: string;\nexport const rises = method === 'prune';\n", 'server/language'],
    ["declare const method: string;\nexport const isOwn = method !== 'custom';\n", 'server/training'],
    ["declare const method: string;\nswitch (method) {\n  case 'quantize':\n}\n", 'extension/weightsInCode'],
    ["declare const run: { policy?: string };\nexport const once = run.policy === 'factors';\n", 'webview/views'],
    ["declare const policy: string;\nexport const plain = policy === 'deeptwist';\n", 'server/protocol/experiment'],
    ["export const titles = { prune: 'Prunes', 'low-rank': 'Truncates' };\n", 'extension/weightsInCode'],
    ['declare const facts: Record<string, number>;\nexport const own = facts.quantize;\n', 'server/compression'],
    ['export const first = `low-rank`;\n', 'webview/views'],
  ])('%j in %s', async (text, folder) => {
    expect(await brokenRules(folder, text)).toContain('no-restricted-syntax');
  });

  test.each([
    ['server/protocol/experiment/methods', "export const first = 'prune';\n"],
    ['server/compression/methods', "declare const method: string;\nexport const rises = method === 'prune';\n"],
    ['server/compression', "declare const weight: { form: string };\nexport const thin = weight.form === 'factors';\n"],
    ['extension/commands', "export const packageName = 'deeptwist';\n"],
  ])('%s may have %j', async (folder, text) => {
    expect(await brokenRules(folder, text)).toEqual([]);
  });
});
