import { expect, test } from 'vitest';
import { Disposable } from '../../../extension/dispose.ts';

/** Writes the names of what is disposed of into `ended`. */
class Owner extends Disposable {
  readonly ended: string[] = [];

  own(name: string): string {
    return this.register({ name, dispose: () => this.ended.push(`${name}, ${this.disposed ? 'with' : 'before'} it`) })
      .name;
  }
}

test('what an object has registered ends with it, the newest first, and once', () => {
  const owner = new Owner();
  expect(owner.own('first')).toBe('first');
  owner.own('second');
  expect(owner.ended).toEqual([]);
  owner.dispose();
  owner.dispose();
  expect(owner.ended).toEqual(['second, with it', 'first, with it']);
});

test('what is registered after the end ends at once', () => {
  const owner = new Owner();
  owner.dispose();
  owner.own('late');
  expect(owner.ended).toEqual(['late, with it']);
});

test('what is registered while others end ends, too', () => {
  const ended: string[] = [];
  const owner = new (class extends Disposable {
    constructor() {
      super();
      this.register({ dispose: () => this.register({ dispose: () => ended.push('inner') }) });
    }
  })();
  owner.dispose();
  expect(ended).toEqual(['inner']);
});
