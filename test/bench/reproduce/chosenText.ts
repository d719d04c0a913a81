/** @file The settings that were chosen, as a page names them. */
import { shortSetting } from './study.ts';

/** Different numbers of a setting from which on they are a range that was searched, and not a choice between two. */
const RANGE = 3;

/**
 * A number at the end of those that were tried is told of: a better one may lie beyond.
 * @param chosen `path=value` texts
 * @param tries those of each try
 */
export function chosenText(chosen: readonly string[], tries: readonly (readonly string[])[]): string {
  return chosen.map((setting) => shortSetting(setting) + endOfRange(setting, tries.flat())).join(', ');
}

function endOfRange(setting: string, tried: readonly string[]): string {
  const [path, value] = partsOf(setting);
  const numbers = new Set(tried.map(partsOf).flatMap(([other, number]) => (other === path ? [number] : [])));
  if (numbers.size < RANGE || Number.isNaN(value)) return '';
  if (value === Math.min(...numbers)) return ' (lowest tried)';
  return value === Math.max(...numbers) ? ' (highest tried)' : '';
}

function partsOf(setting: string): [path: string, value: number] {
  const end = setting.indexOf('=');
  return [setting.slice(0, end), Number(setting.slice(end + 1))];
}
