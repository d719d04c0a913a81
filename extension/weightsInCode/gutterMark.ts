/** @file A mark in the gutter by how much of a layer is left: a bar that is filled so far. Pure. */
import type { Appearance } from './weightPicture.ts';

/** Least share of what is left, and the height of the bar from that share on: the bar can be read without knowing of levels. */
const LEVELS_FROM_TOP = [
  { least: 0.75, fill: 12 },
  { least: 0.5, fill: 9 },
  { least: 0.25, fill: 6 },
  { least: 0.1, fill: 4 },
  { least: 0.03, fill: 2 },
  { least: -Infinity, fill: 1 },
] as const;
export const LEVELS = LEVELS_FROM_TOP.length;

/** 0 for a layer of which nearly all is left, up to `LEVELS - 1`. @param share 0 to 1 */
export function levelOf(share: number): number {
  return LEVELS_FROM_TOP.findIndex(({ least }) => share >= least);
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
  const height = LEVELS_FROM_TOP[level].fill;
  const bottom = TOP + HEIGHT - 1;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE}" height="${SIZE}">`,
    `<rect x="${LEFT + 0.5}" y="${TOP + 0.5}" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="1.5" fill="none"`,
    ` stroke="${changed ? colors.changed : colors.frame}"/>`,
    `<rect x="${LEFT + 1}" y="${bottom - height}" width="${WIDTH - 2}" height="${height}"`,
    ` fill="${changed ? colors.changed : colors.fill}"/></svg>`,
  ].join('');
}
