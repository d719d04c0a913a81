import { describe, expect, test } from 'vitest';
import {
  hasEnding,
  isDeclaration,
  moduleEndings,
  startEndings,
} from '../../../../server/protocol/model/modelEndings.ts';
import { moduleOf } from '../../../../server/protocol/model/modelExports.ts';

describe('endings of files', () => {
  test.each(moduleEndings)('a model is written in a module: %s', (ending) => {
    expect(moduleOf(`./net${ending}`)).toBe(`./net${ending}`);
    expect(moduleOf({ module: `./net${ending}`, export: 'small' })).toBe(`./net${ending}`);
  });

  test.each(['./model.json', './net.onnx', './net.keras', 'builtin:lenet-5', undefined, 5, { onnx: './net.onnx' }])(
    'no module: %s',
    (model) => {
      expect(moduleOf(model)).toBeUndefined();
    },
  );

  test('letters of either case are the same', () => {
    expect(hasEnding('C:\\Nets\\NET.H5', startEndings)).toBe(true);
    expect(hasEnding('./h5', startEndings)).toBe(false);
  });

  test('declarations of types are no modules', () => {
    expect(['net.d.ts', 'net.d.mts', 'net.ts', 'd.ts'].filter(isDeclaration)).toEqual(['net.d.ts', 'net.d.mts']);
  });
});
