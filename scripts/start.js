/**
 * @file `npm start`: sets the checkout up and runs the first example in the terminal. Arguments after `--` go to
 * `deeptwist run`.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './root.js';
import { setUp } from './setup.js';

await setUp();
const example = join('examples', 'mnist', 'lenet-300-100-prune.deeptwist.jsonc');
const run = spawn(process.execPath, [join('bin', 'deeptwist.js'), 'run', example, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});

// A terminal sends Ctrl-C to the run itself, which then stops in order; sent on, it would arrive twice.
process.on('SIGINT', () => process.stdin.isTTY || run.kill('SIGINT'));
process.on('SIGTERM', () => run.kill('SIGTERM'));
run.on('exit', (code) => process.exit(code ?? 1));
