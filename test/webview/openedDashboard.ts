/** @file For the tests of a file: one browser, and a dashboard's page that is closed after each test. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { launchBrowser } from '../../scripts/editor/workbench.js';
import { bundleDashboard, openDashboard, type DashboardInBrowser } from './dashboardPage.ts';

type Bundle = Awaited<ReturnType<typeof bundleDashboard>>;
type Options = NonNullable<Parameters<typeof openDashboard>[2]>;

/** To be called once in a file, outside of its tests. */
export function dashboardOfTests(): { open(options?: Options): Promise<DashboardInBrowser>; bundle(): Bundle } {
  let browser: Browser;
  let bundle: Bundle;
  let opened: DashboardInBrowser | undefined;
  beforeAll(async () => {
    [browser, bundle] = await Promise.all([launchBrowser(), bundleDashboard()]);
  });
  afterAll(() => browser?.close());
  afterEach(() => opened?.page.close());
  return {
    open: async (options) => (opened = await openDashboard(browser, bundle, options)),
    bundle: () => bundle,
  };
}
