/** @file A value of a setting in a message. */

const LONGEST = 60;

/** As JSON, which is cut where it is long; a list or an object by its kind, and an empty one as such. */
export function shownValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null)
    return Object.keys(value).length === 0 ? 'an empty object' : 'an object';
  // JSON has numbers of any size, as 1e999: what they are read as is none of its values.
  if (value === Infinity) return 'a number above 1.8e308';
  if (value === -Infinity) return 'a number below -1.8e308';
  const text = JSON.stringify(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}
