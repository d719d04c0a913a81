/** @file The pages of webview/ in a real browser without an editor: a page's bundle under its own security policy, a faked VS Code. */
import * as esbuild from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from '../../scripts/patience.js';
import { translationBlock } from '../../extension/page/translationBlock.ts';
import type { FromDashboard, ToDashboard } from '../../server/protocol/wire/dashboard.ts';
import { themes } from './themes.ts';
import type { ThemeKind } from './themes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ORIGIN = 'https://dashboard.test';

/** The policy of extension/page/pageHtml.ts with an origin in place of VS Code's. */
const POLICY = [
  "default-src 'none'",
  "script-src 'nonce-test'",
  `style-src ${ORIGIN}`,
  `font-src ${ORIGIN}`,
  `img-src ${ORIGIN} data: blob:`,
].join('; ');

export interface PageBundle {
  readonly script: string;
  readonly style: string;
}

export const bundleDashboard = () => bundlePage('webview/main.ts', 'webview/dashboard.css');
export const bundleSensitivity = () => bundlePage('webview/sensitivity/main.ts', 'webview/sensitivity/sensitivity.css');
export const bundleSweep = () => bundlePage('webview/sweep/main.ts', 'webview/sweep/sweep.css');
export const bundleModelFile = () => bundlePage('webview/modelFile/main.ts', 'webview/modelFile/modelFile.css');

/** A page's files minified, as the package has them. */
async function bundlePage(script: string, style: string): Promise<PageBundle> {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: { page: script, 'page-style': style },
    bundle: true,
    format: 'esm',
    mainFields: ['browser', 'module', 'main'],
    minify: true,
    platform: 'browser',
    target: 'chrome128',
    write: false,
    outdir: 'out',
  });
  const text = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))!.text;
  return { script: text('.js'), style: text('.css') };
}

/** A page that is told messages `To` and says messages `From`. */
export interface PageInBrowser<To, From> {
  readonly page: Page;
  /** What the browser's console said that is no information: refused styles, errors. */
  readonly complaints: string[];
  tell(...messages: readonly To[]): Promise<void>;
  said(): Promise<readonly From[]>;
}

export type DashboardInBrowser = PageInBrowser<ToDashboard, FromDashboard>;

export interface PageOptions {
  readonly theme?: ThemeKind;
  readonly width?: number;
  readonly height?: number;
  readonly state?: unknown;
  /** Texts of another language by those in English. */
  readonly translation?: Readonly<Record<string, string>>;
}

export function openDashboard(
  browser: Browser,
  bundle: PageBundle,
  options?: PageOptions,
): Promise<DashboardInBrowser> {
  return openPage<ToDashboard, FromDashboard>(browser, bundle, options);
}

export async function openPage<To, From>(
  browser: Browser,
  bundle: PageBundle,
  { theme = 'dark', width = 420, height = 900, state, translation }: PageOptions = {},
): Promise<PageInBrowser<To, From>> {
  const page = await browser.newPage({ viewport: { width, height } });
  page.setDefaultTimeout(PATIENCE);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.addInitScript(
    ({ initial }) => {
      const said: unknown[] = [];
      let kept: unknown = initial;
      Object.assign(globalThis, {
        said,
        kept: () => kept,
        acquireVsCodeApi: () => ({
          postMessage: (message: unknown) => said.push(message),
          getState: () => kept,
          // VS Code keeps the state as JSON.
          setState: (value: unknown) => (kept = JSON.parse(JSON.stringify(value))),
        }),
      });
    },
    { initial: state },
  );
  await page.route(`${ORIGIN}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    if (path === '/page.js') await route.fulfill({ contentType: 'text/javascript', body: bundle.script });
    else if (path === '/page-style.css') await route.fulfill({ contentType: 'text/css', body: bundle.style });
    else if (path === '/vscode.css')
      await route.fulfill({ contentType: 'text/css', body: `body { color: var(--vscode-editor-foreground); }` });
    else
      await route.fulfill({
        contentType: 'text/html',
        headers: { 'content-security-policy': POLICY },
        body: html(theme, translation),
      });
  });
  await page.goto(ORIGIN);
  await setTheme(page, theme, width < 500);
  return {
    page,
    complaints,
    tell: async (...messages) => {
      await page.evaluate((all) => all.forEach((message) => window.postMessage(message)), messages as unknown[]);
      await settled(page);
    },
    said: () => page.evaluate(() => (globalThis as unknown as { said: From[] }).said),
  };
}

/** Sets the theme as VS Code does: properties of the root, a class of the body. */
export async function setTheme(page: Page, theme: ThemeKind, inSidebar: boolean): Promise<void> {
  await page.evaluate(
    ({ variables, bodyClass, isInSideBar }) => {
      const background = isInSideBar ? 'sideBar-background' : 'editor-background';
      const { style } = document.documentElement;
      // Variables of the theme before are removed, as VS Code does.
      for (const name of [...style].filter((one) => one.startsWith('--vscode-'))) style.removeProperty(name);
      for (const [name, value] of Object.entries(variables)) style.setProperty(`--vscode-${name}`, value);
      style.background = `var(--vscode-${background})`;
      document.body.className = isInSideBar ? `${bodyClass} is-in-side-bar` : bodyClass;
    },
    { ...themes[theme], isInSideBar: inSidebar },
  );
  await settled(page);
}

/** Waits for what is scheduled for the next frames. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done())))),
  );
}

function html(theme: ThemeKind, translation: Readonly<Record<string, string>> | undefined): string {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="UTF-8"><title>Dashboard</title>
<link rel="stylesheet" href="/vscode.css"><link rel="stylesheet" href="/page-style.css"></head>
<body class="${themes[theme].bodyClass}">${translationBlock(translation)}
<script nonce="test" type="module" src="/page.js"></script></body></html>`;
}
