/** Contrast of what charts draw with the backgrounds of VS Code's four kinds of themes: 3:1 for graphics, by WCAG 2.2, 1.4.11. */
import { describe, expect, test } from 'vitest';
import { palettes, seriesColor, seriesDash } from '../../../../webview/charts/theme.ts';
import { mixed } from '../../../../webview/charts/model/colors.ts';
import { themeKinds, themes } from '../../../webview/themes.ts';

/** WCAG's relative luminance of `#rrggbb`. */
function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((first, second) => first - second);
  return (light + 0.05) / (dark + 0.05);
}

describe.each(themeKinds)('in the theme %s', (kind) => {
  const palette = kind.includes('light') ? palettes.light : palettes.dark;
  const { variables } = themes[kind];
  const backgrounds = [variables['editor-background'], variables['sideBar-background']];

  test('every colour of a series is told from the background of an editor and of the side bar', () => {
    const weak = palette.flatMap((color) =>
      backgrounds
        .filter((background) => contrast(color, background) < 3)
        .map((background) => `${color} on ${background}`),
    );
    expect(weak).toEqual([]);
  });

  test('so is every shade between the worst and the best row of a sweep', () => {
    const shades = Array.from({ length: 9 }, (_, i) => mixed(palette[0], palette[1], i / 8));
    for (const background of backgrounds)
      expect(Math.min(...shades.map((shade) => contrast(shade, background)))).toBeGreaterThanOrEqual(3);
  });
});

test.each(themeKinds)('in the theme %s, no two of 24 series look the same', (kind) => {
  const theme = { kind, palette: kind.includes('light') ? palettes.light : palettes.dark };
  const looks = Array.from({ length: 24 }, (_, i) => `${seriesColor(theme, i)} ${seriesDash(theme, i).join()}`);
  expect(new Set(looks).size).toBe(24);
});

test('the contrast of black and white is 21, and of equal colours 1', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 12);
  expect(contrast('#777777', '#777777')).toBe(1);
});
