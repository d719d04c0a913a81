/** @file For the tests of a file: one browser, and a page that is closed after each test. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { launchBrowser } from '../../scripts/editor/workbench.js';
import type { FromDashboard, ToDashboard } from '../../server/protocol/wire/dashboard.ts';
import type { FromModelFilePage, ToModelFilePage } from '../../server/protocol/wire/modelFile.ts';
import type { FromSensitivityPage, ToSensitivityPage } from '../../server/protocol/wire/sensitivity.ts';
import type { FromSweepPage, ToSweepPage } from '../../server/protocol/wire/sweep.ts';
import {
  bundleDashboard,
  bundleModelFile,
  bundleSensitivity,
  bundleSweep,
  openPage,
  type PageBundle,
  type PageInBrowser,
  type PageOptions,
} from './dashboardPage.ts';

/** The dashboard. To be called once in a file, outside of its tests. */
export const dashboardOfTests = () => pageOfTests<ToDashboard, FromDashboard>(bundleDashboard);
/** The page of a sweep, likewise. */
export const sweepOfTests = () => pageOfTests<ToSweepPage, FromSweepPage>(bundleSweep);
/** The page of a sensitivity report, likewise. */
export const sensitivityOfTests = () => pageOfTests<ToSensitivityPage, FromSensitivityPage>(bundleSensitivity);
/** The page of a model file, likewise. */
export const modelFileOfTests = () => pageOfTests<ToModelFilePage, FromModelFilePage>(bundleModelFile);

function pageOfTests<To, From>(bundlePage: () => Promise<PageBundle>) {
  let browser: Browser;
  let bundle: PageBundle;
  let opened: PageInBrowser<To, From> | undefined;
  beforeAll(async () => {
    [browser, bundle] = await Promise.all([launchBrowser(), bundlePage()]);
  });
  afterAll(() => browser?.close());
  afterEach(() => opened?.page.close());
  return {
    open: async (options?: PageOptions) => (opened = await openPage<To, From>(browser, bundle, options)),
    bundle: () => bundle,
  };
}
