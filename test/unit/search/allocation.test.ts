import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allocate, chosenOptions, type Option } from '../../../server/search/allocation.ts';

const option = fc.record({ bytes: fc.integer({ min: 1, max: 60 }), cost: fc.integer({ min: 0, max: 60 }) });
const options = fc.array(option, { minLength: 1, maxLength: 6 });
const weights = fc.array(options, { minLength: 1, maxLength: 4 });

/** All ways to choose an option of each weight. */
function combinations(of: readonly (readonly Option[])[]): Option[] {
  return of.reduce<Option[]>(
    (all, own) => all.flatMap((a) => own.map((b) => ({ bytes: a.bytes + b.bytes, cost: a.cost + b.cost }))),
    [{ bytes: 0, cost: 0 }],
  );
}

function total(of: readonly (readonly Option[])[], chosen: readonly number[]): Option {
  return combinations(of.map((own, i) => [own[chosen[i]]]))[0];
}

describe('chosenOptions', () => {
  test('has an option of the least sum of cost and lambda times bytes, whatever lambda is', () => {
    fc.assert(
      fc.property(options, fc.double({ min: 0, max: 100, noNaN: true }), (own, lambda) => {
        const sum = ({ bytes, cost }: Option) => cost + lambda * bytes;
        const least = Math.min(...own.map(sum));
        const chosen = Math.min(...chosenOptions(own).map((i) => sum(own[i])));
        expect(chosen).toBeCloseTo(least, 9);
      }),
    );
  });

  test('goes from more bytes to fewer, and from less cost to more', () => {
    fc.assert(
      fc.property(options, (own) => {
        const chosen = chosenOptions(own).map((i) => own[i]);
        chosen.slice(1).forEach((next, i) => {
          expect(next.bytes).toBeLessThan(chosen[i].bytes);
          expect(next.cost).toBeGreaterThan(chosen[i].cost);
        });
      }),
    );
  });
});

describe('allocate', () => {
  test('is within the budget where that can be', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 240 }), (own, budget) => {
        const { bytes } = total(own, allocate(own, budget));
        const smallest = Math.min(...combinations(own).map((one) => one.bytes));
        if (budget >= smallest) expect(bytes).toBeLessThanOrEqual(budget);
        else expect(bytes).toBe(smallest);
      }),
    );
  });

  test('costs no more than any choice by one strength that is within the budget', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 240 }), (own, budget) => {
        const { cost } = total(own, allocate(own, budget));
        for (const one of combinations(own))
          if (one.bytes <= budget && isOfOneStrength(own, one)) expect(cost).toBeLessThanOrEqual(one.cost);
      }),
    );
  });

  test('leaves no room in which a weight would cost less', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 240 }), (own, budget) => {
        const chosen = allocate(own, budget);
        const { bytes, cost } = total(own, chosen);
        for (const [weight, all] of own.entries())
          for (const option of all.keys()) {
            const other = total(own, chosen.with(weight, option));
            if (other.bytes <= budget && bytes <= budget) expect(other.cost).toBeGreaterThanOrEqual(cost);
          }
      }),
    );
  });
});

/** True where more than one lambda makes the sum of cost and lambda times bytes of a combination the least of all. */
function isOfOneStrength(own: readonly (readonly Option[])[], { bytes, cost }: Option): boolean {
  let [least, most] = [0, Infinity];
  for (const other of combinations(own)) {
    const more = other.bytes - bytes;
    if (more === 0) {
      if (other.cost < cost) return false;
    } else if (more > 0) least = Math.max(least, (cost - other.cost) / more);
    else most = Math.min(most, (other.cost - cost) / -more);
  }
  return least < most;
}
