/** @file VS Code on the examples, with one of them being trained: what `npm start` opens. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { createJiti } from 'jiti';
import { root } from '../root.js';
import { startEditor } from './serve.js';

const workspace = join(root, 'examples');

/** How long a run may take to stop after its step, milliseconds, before this process ends without it. */
const STOP_TIMEOUT = 10_000;

/**
 * Opens the editor, trains the experiment and shows its progress, until the user presses Ctrl-C or closes a desktop window.
 * @param {string} experiment absolute path of the experiment file
 * @param {string} [code] the command line of the desktop's VS Code; without it, a VS Code for the browser is opened
 */
export async function startInEditor(experiment, code) {
  const editor = await openEditor(experiment, code);
  const run = await train(experiment);
  console.log('Ctrl-C stops the run and closes the editor.\n');
  const progress = spawn(process.execPath, [join(root, 'bin', 'deeptwist.js'), 'show', run.path, '--follow'], {
    stdio: 'inherit',
    // A group of its own: Ctrl-C is for this process, and the progress shows the stop that follows.
    detached: process.platform !== 'win32',
  });
  await Promise.race([interrupted(), editor.closed]);
  await run.stop();
  progress.kill();
  await editor.dispose();
  process.exit(0);
}

/** @returns {Promise<void>} resolves at Ctrl-C or a polite kill */
function interrupted() {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve());
  });
}

/**
 * @param {string} experiment @param {string} [code]
 * @returns {Promise<{ closed: Promise<void>, dispose: () => Promise<void> }>} `closed` where a desktop window is closed
 */
async function openEditor(experiment, code) {
  if (code !== undefined) {
    console.log(`Opening VS Code (${code}) with the extension.`);
    const args = ['--new-window', '--wait', '--disable-workspace-trust', `--extensionDevelopmentPath=${root}`];
    const window = spawn(code, [...args, workspace, experiment], { shell: process.platform === 'win32' });
    const closed = new Promise((/** @type {(value: void) => void} */ resolve) => window.once('exit', () => resolve()));
    return { closed, dispose: async () => void window.kill() };
  }
  const editor = await startEditor();
  const door = await openDoor(editor.url({ folder: workspace, extension: root, file: experiment }));
  console.log(`\nVS Code with the extension: ${door.url}\n`);
  const dispose = async () => {
    door.close();
    await editor.dispose();
  };
  return { closed: new Promise(() => undefined), dispose };
}

/**
 * A short address that leads to a long one. It has a secret part: another user of this machine must not guess it.
 * @param {string} target @returns {Promise<{ url: string, close: () => void }>}
 */
async function openDoor(target) {
  const path = `/${randomBytes(9).toString('base64url')}`;
  const server = createServer((request, response) => {
    response.writeHead(request.url === path ? 302 : 404, request.url === path ? { location: target } : {}).end();
  });
  await new Promise((/** @type {(value: void) => void} */ resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}${path}`, close: () => server.close() };
}

/** Starts the run as the extension does. @param {string} experiment */
async function train(experiment) {
  const load = createJiti(import.meta.url);
  /** @type {typeof import('../../server/runs/createRun.ts')} */
  const { createRun } = await load.import('../../server/runs/createRun.ts');
  /** @type {typeof import('../../server/sidecarClient/startSidecar.ts')} */
  const { startSidecar } = await load.import('../../server/sidecarClient/startSidecar.ts');
  const run = await createRun({ experiment, text: await readFile(experiment, 'utf8'), state: 'queued' });
  const sidecarScript = join(root, 'dist', 'sidecar.js');
  const { pid, exited } = await startSidecar({ run, node: process.execPath, sidecarScript });
  let ended = false;
  void exited.then(() => (ended = true));
  const stop = async () => {
    if (ended) return;
    process.kill(pid, 'SIGINT');
    await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, STOP_TIMEOUT))]);
    console.log(`\nGo on later: npx deeptwist resume ${join(dirname(experiment), '.deeptwist', 'runs', run.id)}`);
  };
  return { path: run.path, stop };
}
