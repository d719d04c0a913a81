/** @file Ranges of axes: right for one point, for 1e-6, for negative values, for NaN, linear and logarithmic. */
import type { Scale } from './content.ts';

export interface Range {
  readonly minimum: number;
  readonly maximum: number;
}

/** The least and the greatest number that a scale has a place for. The last ones of all have no decade beyond them. */
export function placeable(scale: Scale): readonly [number, number] {
  return scale === 'log' ? [1e-300, 1e300] : [-Number.MAX_VALUE, Number.MAX_VALUE];
}

export function fits(value: number, scale: Scale): boolean {
  const [least, greatest] = placeable(scale);
  return value >= least && value <= greatest;
}

/** Place of a value on an axis whose unit is arbitrary, and back. */
export function toPlace(value: number, scale: Scale): number {
  return scale === 'log' ? Math.log10(value) : value;
}
export function fromPlace(place: number, scale: Scale): number {
  return scale === 'log' ? 10 ** place : place;
}

/** Grows as values are added; empty while `minimum > maximum`. */
export class Extent {
  minimum = Infinity;
  maximum = -Infinity;

  add(value: number, scale: Scale): void {
    if (!fits(value, scale)) return;
    if (value < this.minimum) this.minimum = value;
    if (value > this.maximum) this.maximum = value;
  }

  get isEmpty(): boolean {
    return this.minimum > this.maximum;
  }
}

/**
 * The range of an axis for data of this extent, with `margin` of its length on both sides. A single value lies in its
 * middle; without data the range is [0, 1], or [0.1, 1] of a log axis.
 */
export function axisRange(extent: Extent, scale: Scale, margin: number): Range {
  if (extent.isEmpty) return scale === 'log' ? { minimum: 0.1, maximum: 1 } : { minimum: 0, maximum: 1 };
  let low = toPlace(extent.minimum, scale);
  let high = toPlace(extent.maximum, scale);
  if (high - low <= Number.EPSILON * 8 * Math.max(Math.abs(low), Math.abs(high))) {
    const half = scale === 'log' ? 0.5 : Math.abs(low) / 2 || 0.5;
    low -= half;
    high += half;
  } else {
    // Taken of two halves: the length itself may be more than a number can be.
    const space = margin * (high / 2 - low / 2) * 2;
    low -= space;
    high += space;
  }
  const [least, most] = scale === 'log' ? [-307, 308] : [-Number.MAX_VALUE, Number.MAX_VALUE];
  return {
    minimum: fromPlace(Math.max(low, least), scale),
    maximum: fromPlace(Math.min(high, most), scale),
  };
}

/** Zooms by `factor` (below 1: in) around `center`, which keeps its place; never beyond `bounds`. */
export function zoomed(range: Range, bounds: Range, scale: Scale, center: number, factor: number): Range {
  const [low, high, middle] = [range.minimum, range.maximum, center].map((value) => toPlace(value, scale));
  return within(middle - (middle - low) * factor, middle + (high - middle) * factor, bounds, scale);
}

/** Moves by `fraction` of the length; stops at `bounds`. */
export function panned(range: Range, bounds: Range, scale: Scale, fraction: number): Range {
  const low = toPlace(range.minimum, scale);
  const high = toPlace(range.maximum, scale);
  const [first, last] = [toPlace(bounds.minimum, scale), toPlace(bounds.maximum, scale)];
  const by = Math.min(Math.max(fraction * (high - low), first - low), last - high);
  return within(low + by, high + by, bounds, scale);
}

function within(low: number, high: number, bounds: Range, scale: Scale): Range {
  const [first, last] = [toPlace(bounds.minimum, scale), toPlace(bounds.maximum, scale)];
  // Nearer than this, neighbouring numbers would share a pixel.
  const least = Math.max((last - first) * 1e-9, Number.EPSILON * 1e4 * Math.max(Math.abs(first), Math.abs(last)));
  if (high - low < least) {
    const middle = (low + high) / 2;
    low = middle - least / 2;
    high = middle + least / 2;
  }
  return { minimum: fromPlace(Math.max(low, first), scale), maximum: fromPlace(Math.min(high, last), scale) };
}
