import { describe, expect, it } from 'vitest';
import { findingsOf } from '../../../server/language/findings/index.ts';
import { around, describeModel, open, pruneText } from './features/experiments.ts';

describe('the findings of an experiment file', () => {
  const text = pruneText.replace('./data/mnist', './data/missing');

  it('are found once for a version and what is around it', () => {
    const document = open(text);
    let looked = 0;
    const there = around({ exists: () => ++looked < 0 });
    const findings = findingsOf(document, there);
    expect(findings.map(({ code }) => code)).toContain('no-such-file');
    const before = looked;
    expect(findingsOf(document, there)).toBe(findings);
    expect(looked).toBe(before);
  });

  it('are found anew for another version, and where something else is around it', () => {
    const [document, there] = [open(text), around({ exists: () => false })];
    const findings = findingsOf(document, there);
    expect(findingsOf(open(text), there)).not.toBe(findings);
    const mended = findingsOf(document, around({ exists: () => true }));
    expect(mended.map(({ code }) => code)).not.toContain('no-such-file');
  });

  it('tell of a model that throws, with the place in its code', () => {
    const modelProblem = {
      message: 'createModel() of /home/user/project/model.ts failed: no units (/home/user/project/model.ts:6:9)',
      remedy: 'Fix model.ts, line 6.',
    };
    const found = findingsOf(open(pruneText), around({ modelProblem }));
    expect(found.filter(({ code }) => code === 'model-fails')).toMatchObject([
      {
        message: 'model: createModel() of model.ts failed: no units. Fix model.ts, line 6.',
        cause: { file: '/home/user/project/model.ts', line: 6, column: 9 },
      },
    ]);
    const missing = findingsOf(open(pruneText), around({ modelProblem, exists: () => false }));
    expect(missing.map(({ code }) => code)).not.toContain('model-fails');
  });

  it('name a loss for each output of a model that brings none', () => {
    const outputs = [
      { name: 'kind', shape: [null, 10], activation: 'other' as const },
      { name: 'size', shape: [null, 1], activation: 'other' as const },
    ];
    const model = { ...describeModel({ fc1: { weights: { kernel: [4, 3] } } }), outputs, hasLoss: false };
    const found = findingsOf(open(pruneText), around({ model })).filter(({ code }) => code === 'no-loss');
    const losses = '{"kind":"sparse-categorical-crossentropy-from-logits","size":"mean-squared-error"}';
    expect(found.map(({ message }) => message)).toEqual([expect.stringContaining(`"loss": ${losses} fits`)]);
    expect(found[0].fixes?.map(({ title }) => title)).toEqual([`Add "loss": ${losses}`]);
  });
});
