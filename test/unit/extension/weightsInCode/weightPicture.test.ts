import { describe, expect, test } from 'vitest';
import { gutterMark, levelOf, LEVELS } from '../../../../extension/weightsInCode/gutterMark.ts';
import { layerHover } from '../../../../extension/weightsInCode/layerHover.ts';
import { distortionFacts } from '../../../../extension/weightsInCode/weightText.ts';
import { markdownText } from '../../../../server/protocol/markdown.ts';
import { pictureAlt, weightPicture, type Appearance } from '../../../../extension/weightsInCode/weightPicture.ts';
import { l10n, measuredWeight } from './editorFixture.ts';

const plain: Appearance = { background: 'dark', highContrast: false, changed: false };
const pruned = measuredWeight('fc1/kernel', [{ step: 20, setting: { rate: 0.4 }, zeros: 80 }]);
const lowRank = measuredWeight('fc1/kernel', [{ step: 20, setting: { rank: 2 } }], { singularValues: [4, 2, 1, 0] });

/** Heights of the steps of the n-th filled area, from the axis, by their width. */
function stepsOf(svg: string, nth: number): number[] {
  const areas = [...svg.matchAll(/<path d="M0 (\d+)((?:V[\d.]+H[\d.]+)+)V\d+Z"/g)];
  const [, bottom, path] = areas[nth];
  return [...path.matchAll(/V([\d.]+)/g)].map(([, y]) => Number(bottom) - Number(y));
}

describe('the picture of a weight', () => {
  test('has both histograms on the same scale, and no exact zeros in them', () => {
    const { svg, width } = weightPicture(l10n, pruned, plain)!;
    const [before, after] = [stepsOf(svg, 0), stepsOf(svg, 1)];
    expect(before).toHaveLength(4);
    expect(before[0]).toBe(after[0]);
    // 40 of 80 are left in each of the bins around 0, the zeros taken out.
    expect(after[1]).toBe(after[2]);
    expect(after[1]).toBeLessThan(before[1]);
    expect(after[1] / before[1]).toBeCloseTo(Math.log2(81) / Math.log2(161), 2);
    expect(width).toBeLessThan(500);
  });

  test('has the spectrum beside them with the rank at its singular value', () => {
    const { svg, width } = weightPicture(l10n, lowRank, plain)!;
    expect(svg).toContain('rank 2');
    const [, x] = /<path d="M([\d.]+) [\d.]+V[\d.]+" stroke="#e69f00"/.exec(svg)!;
    const [, points] = /<path d="(M0 [^"]*)" fill="none" stroke="#56b4e9" stroke-width="1.5"/.exec(svg)!;
    expect(points.split('L')[1].split(' ')[0]).toBe(x);
    expect(width).toBeGreaterThan(weightPicture(l10n, pruned, plain)!.width);
  });

  test('is grey where the code has changed, and in high contrast has no faint text', () => {
    const changed = weightPicture(l10n, lowRank, { ...plain, changed: true })!.svg;
    expect(changed).not.toMatch(/#56b4e9|#e69f00/);
    const contrast = weightPicture(l10n, lowRank, { ...plain, background: 'light', highContrast: true })!.svg;
    expect(new Set([...contrast.matchAll(/<text [^>]*fill="(#\w+)"/g)].map(([, color]) => color))).toEqual(
      new Set(['#000000', '#b85c00']),
    );
  });

  test('is well-formed for weights of one value, of odd names and without a finite number', () => {
    const strange = measuredWeight('a<b>&/kernel', [{ step: 1, setting: { rate: 1 }, zeros: 200 }]);
    const histogram = {
      ...strange.last!.histogram,
      minimum: 0,
      maximum: 0,
      before: [200],
      after: [200],
      zerosBefore: 200,
    };
    const { svg } = weightPicture(l10n, { ...strange, last: { ...strange.last!, histogram } }, plain)!;
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    const empty = { ...histogram, before: [], after: [] };
    expect(weightPicture(l10n, { ...strange, last: { ...strange.last!, histogram: empty } }, plain)!.svg).not.toMatch(
      /NaN/,
    );
    expect(pictureAlt(l10n, strange)).toContain('200 of 200');
  });

  test('is none before the first distortion', () => {
    expect(weightPicture(l10n, measuredWeight('fc1/kernel'), plain)).toBeUndefined();
  });
});

describe('what is shown where the mouse rests', () => {
  const call = { kind: 'dense', start: 0, end: 10 };
  const run = { key: '/work (mine)/.deeptwist/runs/a', id: '20261126-120000-a', live: true };

  test('is the picture, the step, and a link to the weight in the dashboard', () => {
    const text = layerHover(l10n, { call, weights: [pruned], several: false }, run, plain);
    expect(text).toMatch(/^\*\*fc1\/kernel\*\* \\\[10, 20\\\] · step 20 of 1,000 \$\(pulse\)/);
    const [, uri] = /!\[[^\]]+\]\(data:image\/svg\+xml;base64,([^|]+)\|width=\d+,height=\d+\)/.exec(text)!;
    expect(Buffer.from(uri, 'base64').toString()).toBe(weightPicture(l10n, pruned, plain)!.svg);
    const [, link] = /\(command:deeptwist\.openDashboard\?([^ ()]+) "Open Dashboard"\)/.exec(text)!;
    expect(JSON.parse(decodeURIComponent(link))).toEqual([run.key, 'fc1/kernel']);
    expect(text).not.toContain('…');
    for (const fact of distortionFacts(l10n, pruned)) expect(text).toContain(markdownText(fact));
  });

  test('says that the file has changed, and what there is before the first distortion', () => {
    const weights = [measuredWeight('fc1/kernel')];
    const text = layerHover(l10n, { call, weights, several: false }, run, { ...plain, changed: true });
    expect(text).toMatch(/changed since the run/);
    expect(text).toContain('no distortion yet');
  });
});

describe('the mark in the gutter', () => {
  test.each([
    [1, 0],
    [0.75, 0],
    [0.74, 1],
    [0.3, 2],
    [0.1, 3],
    [0.05, 4],
    [0.01, 5],
    [0, 5],
  ])('of %d is of level %i', (share, level) => {
    expect(levelOf(share)).toBe(level);
  });

  test('is filled more, the more is left, and grey where the code has changed', () => {
    const filled = Array.from({ length: LEVELS }, (_, level) => {
      const svg = gutterMark(level, { background: 'dark', changed: false });
      return Number(/<rect [^>]*height="(\d+)" fill="#56b4e9"/.exec(svg)![1]);
    });
    expect(filled).toEqual(filled.toSorted((a, b) => b - a));
    expect(new Set(filled).size).toBe(LEVELS);
    expect(gutterMark(2, { background: 'dark', changed: true })).not.toContain('#56b4e9');
  });
});
