/** @file When a user last did something in a window: what a wait for its answer is counted from. */
import type { Page } from 'playwright-core';

/** Notes presses of keys and of the mouse from now on, also after the window is loaded again. */
export async function watchInput(page: Page): Promise<void> {
  await page.context().addInitScript(install);
  await page.evaluate(install);
}

/** Time of the last input; for a key with Control, that of the key itself. Milliseconds since the epoch. */
export function lastInput(page: Page): Promise<number> {
  return page.evaluate(() => (window as unknown as { lastInput: number }).lastInput);
}

function install(): void {
  const note = () => Object.assign(window, { lastInput: Date.now() });
  for (const type of ['mousedown', 'keydown']) window.addEventListener(type, note, { capture: true });
}
