import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSettingPath, parseSettingPath } from '../../../../server/protocol/experiment/settingPath.ts';

describe('setting paths', () => {
  it('are keys with dots between them, in quotes where a key has a dot or a space', () => {
    expect(formatSettingPath(['compression', 'layers', 'fc1/kernel', 'rate'])).toBe(
      'compression.layers.fc1/kernel.rate',
    );
    expect(formatSettingPath(['compression', 'layers', 'block.1', 'rate'])).toBe('compression.layers["block.1"].rate');
    expect(formatSettingPath(['compression', 'layers', 'my layer', 'rate'])).toBe(
      'compression.layers["my layer"].rate',
    );
    expect(parseSettingPath('compression.layers.my layer.rate')).toEqual(['compression', 'layers', 'my layer', 'rate']);
    expect(parseSettingPath('compression.layers.conv*.rate')).toEqual(['compression', 'layers', 'conv*', 'rate']);
  });

  it('are read back as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), (path) => {
        expect(parseSettingPath(formatSettingPath(path))).toEqual(path);
      }),
    );
  });

  it.each(['', '.', 'a..b', '.a', 'a.', 'a["b', 'a[b]', 'a"b"'])('do not include %j', (text) => {
    expect(parseSettingPath(text)).toBeUndefined();
  });
});
