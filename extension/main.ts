/** @file Entry point of the extension. */
import type { ExtensionContext } from 'vscode';

export function activate(_context: ExtensionContext): void {}
