/** @file The page of the benchmark `inference-browser`, in a browser, and the server of its files. */
import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve } from 'node:path';
import * as esbuild from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { cacheFolder, runCommand } from './prepare.ts';

const ONNX_RUNTIME_WEB = 'onnxruntime-web@1.30.0';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};
/** With these a page's clock has steps of 5 µs in place of 100. */
const ISOLATION = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/** The folder of onnxruntime-web's files, installed where it is missing. */
function prepareOnnxRuntimeWeb(): string {
  const folder = cacheFolder('onnxruntime-web');
  const files = join(folder, 'node_modules', 'onnxruntime-web', 'dist');
  if (existsSync(join(files, 'ort.wasm.min.mjs'))) return files;
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save'];
  runCommand('npm', ['install', ...options, ONNX_RUNTIME_WEB], folder);
  return files;
}

export interface InferencePages {
  /** Opens the page anew, beside which the server has these files, by their paths. */
  open(browser: Browser, files: Readonly<Record<string, Uint8Array>>): Promise<Page>;
  close(): void;
}

/** Serves the page and the runtimes at an address of this machine. */
export async function serveInferencePages(): Promise<InferencePages> {
  const folders: Readonly<Record<string, string>> = {
    runtime: resolve('dist', 'runtime'),
    'onnxruntime-web': prepareOnnxRuntimeWeb(),
    'tfjs-backend-wasm': resolve('node_modules', '@tensorflow', 'tfjs-backend-wasm', 'dist'),
  };
  const { outputFiles } = await esbuild.build({
    entryPoints: ['test/bench/contenders/inferencePage.ts'],
    ...{ bundle: true, write: false, format: 'iife', globalName: 'contenders', platform: 'browser' },
    ...{ target: 'es2022', logLevel: 'error' },
  });
  const html = Buffer.from('<!doctype html><title>inference</title><script src="/page.js"></script>');
  const files = new Map<string, Uint8Array>([
    ['/', html],
    ['/page.js', outputFiles[0].contents],
  ]);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const [, folder, name] = pathname.split('/');
    const own = files.get(pathname);
    const isKnown = name !== undefined && Object.hasOwn(folders, folder);
    const content = own ?? (isKnown ? readFile(join(folders[folder], name)) : Promise.reject(new Error('unknown')));
    const type = pathname === '/' ? 'text/html' : (TYPES[extname(pathname)] ?? 'application/octet-stream');
    Promise.resolve(content).then(
      (bytes) => response.writeHead(200, { ...ISOLATION, 'content-type': type }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');

  return {
    open: async (browser, own) => {
      for (const [path, bytes] of Object.entries(own)) files.set(path, bytes);
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${address.port}/`);
      return page;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
