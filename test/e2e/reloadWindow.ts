/** @file Loads a window of VS Code again as a user does who comes back later. */
import type { Page } from 'playwright-core';
import { workbenchReady } from '../../scripts/editor/workbench.js';
import { until } from '../until.ts';

/**
 * Loads the window again, once VS Code has kept what it looks like. In a browser it does so every few seconds, and cannot
 * when the window is closed.
 * @param kept what one of the values that it has kept has to match
 */
export async function reloadWindow(page: Page, kept: RegExp): Promise<void> {
  await until(() => page.evaluate(hasKept, kept.source), 'VS Code to keep what the window looks like');
  await page.reload();
  await workbenchReady(page);
}

/** Runs in the page. */
async function hasKept(pattern: string): Promise<boolean> {
  const result = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error!);
    });
  for (const { name = '' } of await indexedDB.databases()) {
    if (!name.startsWith('vscode-web-state-db')) continue;
    const database = await result(indexedDB.open(name));
    const values: unknown[] = await result(database.transaction('ItemTable').objectStore('ItemTable').getAll());
    database.close();
    if (values.some((value) => new RegExp(pattern).test(String(value)))) return true;
  }
  return false;
}
