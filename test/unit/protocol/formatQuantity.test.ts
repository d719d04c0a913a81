import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatChartNumber,
  formatDuration,
  formatMargin,
  formatNumber,
  formatFixedPercent,
  formatPercent,
  formatRatio,
} from '../../../server/protocol/formatQuantity.ts';

describe('quantities', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [999_999, '1.00 MB'],
    [1_066_440, '1.07 MB'],
    [264e9, '264 GB'],
  ])('shows %s bytes as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0.4, '0 s'],
    [59.7, '1 min 00 s'],
    [3599, '59 min 59 s'],
    [7620, '2 h 07 min'],
    [360_000, '4 d 4 h'],
  ])('shows %s seconds as %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it.each([
    [0.98412, '0.9841'],
    [114.53, '114.5'],
    [12345.6, '12346'],
    [-2.5e-6, '-2.5e-6'],
    [3e7, '3e7'],
    [0, '0'],
    [NaN, 'NaN'],
  ])('shows the number %s as %s', (value, text) => expect(formatNumber(value)).toBe(text));

  it.each([
    [0.06353, '0.064'],
    [12.706, '13'],
    [0.000683, '0.00068'],
    [3.21e-8, '3.2e-8'],
    [0, '0'],
  ])('shows the error %s as %s', (margin, text) => expect(formatMargin(margin)).toBe(text));

  it.each([
    [0, '0'],
    [1200, '1,200'],
    [0.0123456, '0.01235'],
    [12345.678, '12,345.678'],
    [1e-6, '1e−6'],
    [-2.5e-7, '−2.5e−7'],
    [-3, '−3'],
    [1e12, '1e12'],
    [NaN, '–'],
    [-Infinity, '−∞'],
  ])('shows the number %s in a chart as %s', (value, text) => expect(formatChartNumber(value)).toBe(text));

  it.each([
    [0, '0%'],
    [1, '100%'],
    [0.25, '25%'],
    [0.9873, '98.7%'],
    [0.99951, '99.95%'],
    [0.00012, '0.012%'],
    [0.99996, '99.996%'],
    [0.9999999, '99.99999%'],
    [1.00004, '100.004%'],
    [0.00001, '0.001%'],
    // What a sum of shares is rounded to.
    [1 - 2 ** -52, '100%'],
    [NaN, 'NaN%'],
  ])('shows the fraction %s as %s', (fraction, text) => expect(formatPercent(fraction)).toBe(text));

  it.each([
    [0, '0.00%'],
    [1, '100.00%'],
    [0.983, '98.30%'],
    [0.99996, '99.996%'],
    [0.00001, '0.001%'],
    [-0.00001, '-0.001%'],
    [1 - 2 ** -52, '100.00%'],
    [1e-17, '0.00%'],
    [NaN, 'NaN%'],
  ])('shows the fraction %s in two places as %s', (fraction, text) => expect(formatFixedPercent(fraction, 2)).toBe(text)); // prettier-ignore

  it('shows a ratio in three digits', () => {
    expect([1, 9.876, 49.81, 123.4].map(formatRatio)).toEqual(['1.00x', '9.88x', '49.8x', '123x']);
  });
});
