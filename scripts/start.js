/**
 * @file `npm start`: sets the checkout up, opens VS Code with the extension on the examples, and trains the first of them
 * there; the progress is shown in the terminal, too. `npm start -- --headless` trains in the terminal alone; what else
 * follows it goes to `deeptwist run`.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { desktopCode } from './editor/desktop.js';
import { fail } from './needs.js';
import { root } from './root.js';
import { setUp } from './setup.js';

const example = join(root, 'examples', 'mnist', 'lenet-300-100-prune.deeptwist.jsonc');
const [mode, ...rest] = process.argv.slice(2);
if (mode !== undefined && mode !== '--headless') fail(`npm start knows --headless alone, not ${mode}.`);

if (mode === '--headless') {
  await setUp();
  runHeadless();
} else {
  const code = desktopCode();
  await setUp({ editor: code === undefined });
  const { startInEditor } = await import('./editor/start.js');
  await startInEditor(example, code);
}

function runHeadless() {
  const args = [join('bin', 'deeptwist.js'), 'run', example, ...rest];
  const run = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  // A terminal sends Ctrl-C to the run itself, which then stops in order; sent on, it would arrive twice.
  process.on('SIGINT', () => process.stdin.isTTY || run.kill('SIGINT'));
  process.on('SIGTERM', () => run.kill('SIGTERM'));
  run.on('exit', (code) => process.exit(code ?? 1));
}
