/** @file What a user downloads and what a window loads, in bytes. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../scripts/root.js';
import { beside, type Limited } from '../bench.ts';
import { runCommand } from '../prepare.ts';

const KB = 1e3;
const MB = 1e6;
const TARGET = 'linux-x64';

/** Loaded by a window that opens an experiment file, when it does. */
const LANGUAGE_CLIENT = 'language.js';

/** Kilobytes of the scripts and style sheets of a bundle, all its chunks together, the client of the language server left out. */
function bundleSize(folder: string): number {
  const files = readdirSync(join(root, 'dist', folder)).filter((name) => /\.(js|css)$/.test(name));
  return (
    files
      .filter((name) => name !== LANGUAGE_CLIENT)
      .reduce((sum, name) => sum + statSync(join(root, 'dist', folder, name)).size, 0) / KB
  );
}

function fileSize(folder: string, name: string): number {
  return statSync(join(root, 'dist', folder, name)).size / KB;
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
    beside(500, 'its client of the language server', fileSize('extension', LANGUAGE_CLIENT), 'KB'),
    beside(600, "bundle of the dashboard's page", bundleSize('webview'), 'KB'),
    beside(40, `package for ${TARGET}`, packageSize(), 'MB'),
  ]);
}
