/** @file What a user downloads and what a window loads, in bytes. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../scripts/root.js';
import { beside, type Limited } from '../bench.ts';
import { runCommand } from '../prepare.ts';

const KB = 1e3;
const MB = 1e6;
const TARGET = 'linux-x64';

/** Kilobytes of the scripts and style sheets of a bundle, all its chunks together. */
function bundleSize(folder: string): number {
  const files = readdirSync(join(root, 'dist', folder)).filter((name) => /\.(js|css)$/.test(name));
  return files.reduce((sum, name) => sum + statSync(join(root, 'dist', folder, name)).size, 0) / KB;
}

/** Makes the package anew. */
function packageSize(): number {
  runCommand(process.execPath, [join('scripts', 'package.js'), '--target', TARGET], root);
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, string>;
  return statSync(join(root, 'out', 'packages', `${name}-${TARGET}-${version}.vsix`)).size / MB;
}

export function measureSizes(): Promise<Limited[]> {
  return Promise.resolve([
    beside(400, "bundle of the extension's side", bundleSize('extension'), 'KB'),
    beside(600, "bundle of the dashboard's page", bundleSize('webview'), 'KB'),
    beside(40, `package for ${TARGET}`, packageSize(), 'MB'),
  ]);
}
