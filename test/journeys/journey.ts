/** @file What a person does in a window of VS Code, recorded step by step: what, how long it took, and a picture of what is then seen. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Locator, Page } from 'playwright-core';
import { PATIENCE } from '../../scripts/patience.js';
import { until } from '../until.ts';

type Kind = 'click' | 'key' | 'text' | 'wait';

export interface Step {
  readonly kind: Kind;
  /** An instruction to a person: "Press Run above the experiment". */
  readonly what: string;
  /** Time from the step before until this one was done: with the time that the product took to show what is clicked. */
  readonly seconds: number;
  readonly picture: string;
}

/** How long a training may take on a busy machine, milliseconds. */
const TRAINING = 5 * PATIENCE;
/** Time for the window to draw what a step did. */
const DRAWING_MS = 500;

export class Journey {
  readonly steps: Step[] = [];
  readonly page: Page;
  readonly #pictures: string;

  /** @param pictures the folder of the pictures, which is there */
  constructor(page: Page, pictures: string) {
    this.page = page;
    this.#pictures = pictures;
  }

  click(what: string, target: Locator): Promise<void> {
    return this.#step('click', what, () => target.click());
  }

  /** One click of the count: a word is selected. */
  doubleClick(what: string, target: Locator): Promise<void> {
    return this.#step('click', what, () => target.dblclick());
  }

  /** @param key as Playwright names it, `Control+S` */
  press(what: string, key: string): Promise<void> {
    return this.#step('key', what, () => this.page.keyboard.press(key));
  }

  type(what: string, text: string): Promise<void> {
    return this.#step('text', what, () => this.page.keyboard.type(text));
  }

  /** Nothing is done until something is seen, or true. */
  wait(what: string, seen: Locator | (() => boolean)): Promise<void> {
    return this.#step('wait', what, () =>
      typeof seen === 'function' ? until(seen, what, TRAINING) : seen.first().waitFor(),
    );
  }

  /** Number of clicks so far. */
  get clicks(): number {
    return this.steps.filter(({ kind }) => kind === 'click').length;
  }

  get seconds(): number {
    return this.steps.reduce((sum, { seconds }) => sum + seconds, 0);
  }

  async #step(kind: Kind, what: string, act: () => Promise<unknown>): Promise<void> {
    const start = performance.now();
    try {
      await act();
    } catch (error) {
      await this.page.screenshot({ path: join(this.#pictures, 'failed.png') });
      throw new Error(`At step ${this.steps.length + 1}, "${what}"; see failed.png.`, { cause: error });
    }
    const seconds = (performance.now() - start) / 1000;
    await sleep(DRAWING_MS);
    const picture = `${String(this.steps.length + 1).padStart(2, '0')}.png`;
    await this.page.screenshot({ path: join(this.#pictures, picture) });
    this.steps.push({ kind, what, seconds, picture });
    console.log(`  ${kind.padEnd(5)} ${seconds.toFixed(1).padStart(6)} s  ${what}`);
  }
}
