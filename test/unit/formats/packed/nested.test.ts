import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BinaryCodesWeight } from '../../../../server/formats/packed/binaryCodes.ts';
import { DenseWeight } from '../../../../server/formats/packed/dense.ts';
import { FactorsWeight, multiplyFactors } from '../../../../server/formats/packed/factors.ts';
import { FactorsCodedWeight, type Factor } from '../../../../server/formats/packed/factorsCoded.ts';
import { LevelsWeight } from '../../../../server/formats/packed/levels.ts';
import type { CodedNumbers } from '../../../../server/formats/packed/nested.ts';
import { decodePacked, encodePacked, type PackedWeight } from '../../../../server/formats/packed/packedFile.ts';
import { SparseWeight } from '../../../../server/formats/packed/sparse.ts';
import { SparseCodedWeight } from '../../../../server/formats/packed/sparseCoded.ts';
import { decodeSafetensors } from '../../../../server/formats/safetensors.ts';
import { elementCount } from '../../../../server/protocol/shape.ts';

function again(weights: Record<string, PackedWeight>): Map<string, PackedWeight> {
  return decodePacked(encodePacked(new Map(Object.entries(weights))));
}

const inOrder = (count: number) => ({ outer: 1, rows: 1, inner: count });

/** Numbers of a shape in each form that a part can have, of codes that repeat. */
const numberForms: Readonly<Record<CodedNumbers['form'], (shape: readonly number[]) => CodedNumbers>> = {
  dense: (shape) =>
    new DenseWeight(
      shape,
      Float32Array.from({ length: elementCount(shape) }, (_, i) => i - 1.5),
    ),
  levels: (shape) => {
    const codes = Uint8Array.from({ length: elementCount(shape) }, (_, i) => (i * i) % 3);
    return LevelsWeight.of(shape, { levels: Float32Array.of(-1, 0, 2), codes, view: inOrder(codes.length) });
  },
  'binary-codes': (shape) => {
    const codes = Uint8Array.from({ length: elementCount(shape) }, (_, i) => (i * i) % 4);
    return BinaryCodesWeight.of(shape, inOrder(codes.length), 2, Float32Array.of(1, 0.25), codes);
  },
};

/** A factor in each form. */
const factorForms: Readonly<Record<Factor['form'], (shape: readonly number[]) => Factor>> = {
  ...numberForms,
  sparse: (shape) =>
    SparseWeight.of(
      shape,
      Float32Array.from({ length: elementCount(shape) }, (_, i) => (i % 5 === 0 ? i + 1 : 0)),
    ),
  'sparse-coded': (shape) => {
    const kept = Array.from({ length: elementCount(shape) }, (_, i) => (i % 3 === 0 ? 1 : 0));
    return SparseCodedWeight.of(shape, kept, numberForms.levels([Math.ceil(kept.length / 3)]));
  },
};

describe('a pruned weight with coded numbers', () => {
  const kept = fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 1, maxLength: 300 }).filter((all) => all.includes(1));

  test.each(Object.keys(numberForms) as CodedNumbers['form'][])('comes back to the bit: %s', (form) => {
    fc.assert(
      fc.property(kept, (mask) => {
        const coded = numberForms[form]([mask.filter(Boolean).length]);
        const weight = SparseCodedWeight.of([mask.length], mask, coded);
        const numbers = [...coded.rebuild()];
        const expected = mask.map((one) => (one ? numbers.shift()! : 0));
        const read = again({ w: weight }).get('w')!;
        expect([...read.rebuild()]).toEqual(expected);
        expect(read).toMatchObject({ form: 'sparse-coded', parameters: weight.parameters });
      }),
      { numRuns: 50 },
    );
  });

  test('keeps a number that is 0', () => {
    const coded = LevelsWeight.of([3], {
      levels: Float32Array.of(-1, 0, 1),
      codes: Uint8Array.of(1, 0, 1),
      view: inOrder(3),
    });
    const read = again({ w: SparseCodedWeight.of([2, 3], [0, 1, 0, 1, 1, 0], coded) }).get('w')!;
    if (read.form !== 'sparse-coded') throw new TypeError(`It was read as ${read.form}.`);
    const positions: number[] = [];
    read.forEachPosition((position) => positions.push(position));
    expect(positions).toEqual([1, 3, 4]);
    expect([...read.values]).toEqual([0, -1, 0]);
    expect([...read.rebuild()]).toEqual([0, 0, 0, -1, 0, 0]);
  });

  test.each(Object.keys(numberForms) as CodedNumbers['form'][])('can have no numbers: %s', (form) => {
    const weight = SparseCodedWeight.of([2, 3], new Uint8Array(6), numberForms[form]([0]));
    expect(again({ w: weight }).get('w')!.rebuild()).toEqual(new Float32Array(6));
  });

  test('has as many numbers as remain', () => {
    expect(() => SparseCodedWeight.of([4], [0, 1, 1, 0], numberForms.levels([3]))).toThrow(
      '2 numbers remain, and 3 are given.',
    );
  });

  test('is what docs/format.md shows', () => {
    const coded = LevelsWeight.of([2], {
      levels: Float32Array.of(0.5, -2),
      codes: Uint8Array.of(0, 1),
      view: inOrder(2),
    });
    const weight = SparseCodedWeight.of([2, 3], [0, 0.5, 0, 0, 0, -2], coded);
    const file = encodePacked(new Map([['fc/kernel', weight]]));
    expect(decodeSafetensors(file).metadata['fc/kernel']).toBe(
      'sparse-coded 2,3 values=2 index=rice,1 values.form=levels values.bytes=9 values.levels=2 values.coding=fixed',
    );
    const { data } = decodeSafetensors(file).tensors.get('fc/kernel')!;
    expect(Buffer.from(data as Uint8Array).toString('hex')).toBe('0000003f' + '000000c0' + '02' + '16');
  });
});

describe('a weight of low rank with coded factors', () => {
  const view = { outer: 2, rows: 5, inner: 3 };
  const shape = [2, 5, 3];
  const forms = Object.keys(factorForms) as Factor['form'][];

  test.each(forms)('comes back to the bit: %s times each form', (left) => {
    for (const right of forms) {
      const factors = { left: factorForms[left]([5, 4]), right: factorForms[right]([4, 6]) };
      const expected = new Float32Array(30);
      multiplyFactors({ left: factors.left.rebuild(), right: factors.right.rebuild() }, view, expected);
      const read = again({ w: new FactorsCodedWeight(shape, view, 4, factors) }).get('w')!;
      expect(read.rebuild(), right).toEqual(expected);
      if (read.form !== 'factors-coded') throw new TypeError(`It was read as ${read.form}.`);
      expect([read.codedLeft.form, read.codedRight.form]).toEqual([factors.left.form, factors.right.form]);
    }
  });

  test('shares its left factor with weights of both forms, in both directions', () => {
    const left = factorForms.levels([5, 4]);
    const floats = left.rebuild();
    const right = factorForms.levels([4, 6]);
    const product = new FactorsCodedWeight(shape, view, 4, { left, right }).rebuild();
    const weights = again({
      'a/kernel': new FactorsCodedWeight(shape, view, 4, { left, right, leftOf: 'b/recurrent kernel' }),
      'b/recurrent kernel': new FactorsCodedWeight(shape, view, 4, { left, right }),
      'c/kernel': new FactorsWeight(shape, view, 4, {
        left: floats,
        right: right.rebuild(),
        leftOf: 'b/recurrent kernel',
      }),
      'd/kernel': new FactorsCodedWeight(shape, view, 4, { left, right, leftOf: 'e/kernel' }),
      'e/kernel': new FactorsWeight(shape, view, 4, { left: floats, right: right.rebuild() }),
    });
    for (const weight of weights.values()) expect(weight.rebuild()).toEqual(product);
    expect(weights.get('a/kernel')!.sections).toEqual(right.sections);
  });
});
