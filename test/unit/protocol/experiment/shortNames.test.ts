import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shortNames } from '../../../../server/protocol/experiment/shortNames.ts';
import { formatSettingPath } from '../../../../server/protocol/experiment/settingPath.ts';

test('a setting is called by its last key where no other ends so', () => {
  expect([...shortNames(['compression.layers.fc1.rate', 'training.seed']).values()]).toEqual(['rate', 'seed']);
  expect([...shortNames(['training.optimizer.type', 'type']).values()]).toEqual(['optimizer.type', 'type']);
});

test('settings that end in the same key have as much of their path as tells them apart', () => {
  const names = ['compression.layers.fc1.rate', 'compression.layers.fc2.rate', 'compression[0].distortEvery', 'model'];
  expect([...shortNames(names).values()]).toEqual(['fc1.rate', 'fc2.rate', 'distortEvery', 'model']);
  expect([...shortNames(['a["x.1"].rate', 'a["x.2"].rate']).values()]).toEqual(['["x.1"].rate', '["x.2"].rate']);
});

test('a name within another keeps its whole path', () => {
  expect([...shortNames(['rate', 'fc1.rate']).values()]).toEqual(['rate', 'fc1.rate']);
});

const path = fc.array(fc.constantFrom('a', 'b', 'rate', 'x.1'), { minLength: 1, maxLength: 4 });
test('no two settings have the same short name', () => {
  fc.assert(
    fc.property(fc.uniqueArray(path.map(formatSettingPath)), (names) => {
      expect(new Set(shortNames(names).values()).size).toBe(names.length);
    }),
  );
});

test('no setting has a short name that stands for something else', () => {
  const names = ['training.loss', 'data.split.loss', 'data.rate'];
  expect([...shortNames(names, ['loss', 'rate']).values()]).toEqual(['training.loss', 'split.loss', 'data.rate']);
});
