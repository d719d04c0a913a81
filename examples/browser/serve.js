/**
 * @file Serves the page to browsers of this computer: `node examples/browser/serve.js [PORT]`. Any other server of static files
 * does as well.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const DEFAULT_PORT = 8080;

/** @type {Readonly<Record<string, string>>} */
const contentTypes = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json'
};

/**
 * @param {string} folder absolute path
 * @param {number} port 0 for any that is free
 * @returns {Promise<{ url: string, close: () => void }>} when it listens
 */
export async function serve(folder, port) {
  const server = createServer(async (request, response) => {
    const path = fileOf(folder, request.url ?? '/');
    const content = path === undefined ? undefined : await readFile(path).catch(() => undefined);
    if (path === undefined || content === undefined) {
      response.writeHead(404).end('There is no such file.');
      return;
    }
    const contentType = contentTypes[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-cache' }).end(content);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(undefined));
  });
  const address = server.address();
  const listening = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${listening}/`,
    close() {
      server.close();
      server.closeAllConnections();
    }
  };
}

/**
 * @param {string} folder @param {string} url path of a request
 * @returns {string | undefined} undefined for what is not in the folder
 */
function fileOf(folder, url) {
  try {
    const path = join(folder, decodeURIComponent(new URL(url, 'http://localhost').pathname));
    if (!path.startsWith(join(folder, sep))) return undefined;
    return path.endsWith(sep) ? join(path, 'index.html') : path;
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const port = Number(process.argv[2] ?? DEFAULT_PORT);
  try {
    const { url } = await serve(fileURLToPath(new URL('.', import.meta.url)), port);
    process.stdout.write(`${url}  (Ctrl-C ends it)\n`);
  } catch (error) {
    process.stderr.write(`The page cannot be served on port ${process.argv[2] ?? DEFAULT_PORT}: ${String(error)}\n`);
    process.stderr.write('Name another port: node examples/browser/serve.js 8081\n');
    process.exitCode = 1;
  }
}
