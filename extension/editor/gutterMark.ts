/** @file A mark in the gutter by how much of a layer is left: a bar that is filled so far. Pure. */
import type { Appearance } from './weightPicture.ts';

/** Least share of each level but the lowest: each is about a third of the one before. */
const LEAST = [0.5, 0.18, 0.06, 0.02];
export const LEVELS = LEAST.length + 1;

/** 0 for a layer of which next to nothing is left, up to `LEVELS - 1`. @param share 0 to 1 */
export function levelOf(share: number): number {
  const at = LEAST.findIndex((least) => share >= least);
  return at < 0 ? 0 : LEAST.length - at;
}

const SIZE = 16;
const WIDTH = 6;
const HEIGHT = 14;
const LEFT = (SIZE - WIDTH) / 2;
const TOP = (SIZE - HEIGHT) / 2;

const COLORS = {
  dark: { frame: '#8b8b8b', fill: '#56b4e9', changed: '#6b6b6b' },
  light: { frame: '#767676', fill: '#0072b2', changed: '#a8a8a8' },
} as const;

/** An SVG of 16 by 16 pixels. */
export function gutterMark(level: number, { background, changed }: Pick<Appearance, 'background' | 'changed'>): string {
  const colors = COLORS[background];
  const height = ((HEIGHT - 2) * (level + 1)) / LEVELS;
  const bottom = TOP + HEIGHT - 1;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE}" height="${SIZE}">`,
    `<rect x="${LEFT + 0.5}" y="${TOP + 0.5}" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="1.5" fill="none"`,
    ` stroke="${changed ? colors.changed : colors.frame}"/>`,
    `<rect x="${LEFT + 1}" y="${bottom - height}" width="${WIDTH - 2}" height="${height}" rx="0.5"`,
    ` fill="${changed ? colors.changed : colors.fill}"/></svg>`,
  ].join('');
}
