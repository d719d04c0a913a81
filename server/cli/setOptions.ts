/** @file The options of a command that a user is told to enter. */
import { shellWord } from '../protocol/shellWord.ts';

/**
 * Settings as options of a command, each with a blank before it.
 * @param overrides `path=value` texts
 */
export function setOptions(overrides: readonly string[]): string {
  return overrides.map((override) => ` --set ${shellWord(override)}`).join('');
}
