/**
 * @file Windows of a VS Code, driven by a browser: opens them, runs commands from the palette, finds the frames of webviews.
 */
import { chromium } from 'playwright-core';
import { PATIENCE } from '../patience.js';
import { findChromium } from './chromium.js';

export function launchBrowser() {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * A new page that shows the window of `url` (see `startEditor`), in a state of its own as after a fresh start.
 * @param {import('playwright-core').Browser} browser @param {string} url
 * @param {{ width?: number, height?: number }} [size] in pixels
 */
export async function openWorkbench(browser, url, { width = 1280, height = 800 } = {}) {
  const context = await browser.newContext({ viewport: { width, height } });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  await page.goto(url);
  await workbenchReady(page);
  return page;
}

/**
 * Waits until the window is drawn: after `goto` and after `reload`.
 * @param {import('playwright-core').Page} page
 */
export async function workbenchReady(page) {
  await page.locator('.monaco-workbench .part.statusbar').waitFor();
}

/**
 * Runs a command by its title, as a user does: palette, typing, Enter.
 * @param {import('playwright-core').Page} page @param {string} title
 */
export async function runCommand(page, title) {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const input = page.locator('.quick-input-widget input.input');
    const row = page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    try {
      await page.keyboard.press('F1');
      // What takes the focus meanwhile, as a view that opens, closes the palette again.
      await input.waitFor({ timeout: 2000 });
      await input.fill(`>${title}`, { timeout: 2000 });
      // The palette shows what was known when it was opened: a window that has just appeared learns of the extension.
      await row.waitFor({ timeout: 2000 });
      return await row.click({ timeout: 2000 });
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await page.keyboard.press('Escape');
    }
  }
}

/**
 * Chooses the entry of a quick pick that is open whose label contains `text`.
 * @param {import('playwright-core').Page} page @param {string} text
 */
async function choose(page, text) {
  const row = page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
  await row.waitFor();
  await row.click();
}

/**
 * Opens a file of the folder by its name.
 * @param {import('playwright-core').Page} page @param {string} name
 */
export async function openFile(page, name) {
  await page.keyboard.press('Control+P');
  const input = page.locator('.quick-input-widget input.input');
  await input.waitFor();
  await input.fill(name);
  await choose(page, name);
  await page.locator('.tab', { hasText: name }).first().waitFor();
}

/**
 * The document of the n-th webview that is seen in the window: a frame in a frame.
 * @param {import('playwright-core').Page} page
 */
export function webview(page, index = 0) {
  return page.frameLocator('iframe.webview >> visible=true').nth(index).frameLocator('iframe#active-frame');
}
