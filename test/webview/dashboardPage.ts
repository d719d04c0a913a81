/** @file The dashboard's page in a real browser without an editor: its bundle under its own security policy, a faked VS Code. */
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

/** The bundles as the package has them: minified. */
export async function bundleDashboard(): Promise<{ script: string; style: string }> {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: { dashboard: 'webview/main.ts', 'dashboard-style': 'webview/dashboard.css' },
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

export interface DashboardInBrowser {
  readonly page: Page;
  /** What the browser's console said that is no information: refused styles, errors. */
  readonly complaints: string[];
  tell(...messages: readonly ToDashboard[]): Promise<void>;
  said(): Promise<readonly FromDashboard[]>;
}

export async function openDashboard(
  browser: Browser,
  bundle: { script: string; style: string },
  {
    theme = 'dark',
    width = 420,
    height = 900,
    state,
    translation,
  }: {
    theme?: ThemeKind;
    width?: number;
    height?: number;
    state?: unknown;
    /** Texts of another language by those in English. */
    translation?: Readonly<Record<string, string>>;
  } = {},
): Promise<DashboardInBrowser> {
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
    if (path === '/dashboard.js') await route.fulfill({ contentType: 'text/javascript', body: bundle.script });
    else if (path === '/dashboard-style.css') await route.fulfill({ contentType: 'text/css', body: bundle.style });
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
      await page.evaluate((all) => all.forEach((message) => window.postMessage(message)), messages);
      await settled(page);
    },
    said: () => page.evaluate(() => (globalThis as unknown as { said: FromDashboard[] }).said),
  };
}

/** Sets the theme as VS Code does: properties of the root, a class of the body. */
export async function setTheme(page: Page, theme: ThemeKind, inSidebar: boolean): Promise<void> {
  await page.evaluate(
    ({ variables, bodyClass, background }) => {
      const { style } = document.documentElement;
      for (const [name, value] of Object.entries(variables)) style.setProperty(`--vscode-${name}`, value);
      style.background = `var(--vscode-${background})`;
      document.body.className = bodyClass;
    },
    { ...themes[theme], background: inSidebar ? 'sideBar-background' : 'editor-background' },
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
<link rel="stylesheet" href="/vscode.css"><link rel="stylesheet" href="/dashboard-style.css"></head>
<body class="${themes[theme].bodyClass}">${translationBlock(translation)}
<script nonce="test" type="module" src="/dashboard.js"></script></body></html>`;
}
