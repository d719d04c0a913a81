/** @file The packages of data that the examples use. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/root.js';

/**
 * The folder of a package in `examples/node_modules`.
 * @throws an Error with the command that helps, where it is missing
 */
export function examplesPackage(name: string): string {
  const folder = join(root, 'examples', 'node_modules', name);
  if (existsSync(folder)) return folder;
  throw new Error(`The package ${name} is not in examples/node_modules. Install it: npm ci --prefix examples`);
}
