/** @file The memory of a browser's processes that show pages. Linux alone tells. */
import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';

/**
 * What a process holds for itself, bytes: heaps, buffers, bitmaps; not the browser's own code, which all its processes
 * share.
 */
export function privateMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? NaN);
  return 1024 * (kilobytes('RssAnon') + kilobytes('RssShmem'));
}

/** The processes that show pages, the one with the most memory first. */
export async function renderers(browser: Browser): Promise<number[]> {
  const devTools = await browser.newBrowserCDPSession();
  try {
    const { processInfo } = await devTools.send('SystemInfo.getProcessInfo');
    const pids = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    return pids.sort((a, b) => privateMemory(b) - privateMemory(a));
  } finally {
    await devTools.detach();
  }
}

/** Samples a process's memory until it is told to stop, and then says the most that it was, bytes. */
export function watchMemory(pid: number, interval = 20): () => number {
  let most = privateMemory(pid);
  const timer = setInterval(() => (most = Math.max(most, privateMemory(pid))), interval);
  return () => {
    clearInterval(timer);
    return most;
  };
}
