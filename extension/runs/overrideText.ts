/** @file Overrides (`path=value`) as text: a typed line split into them, and short forms to show. Pure. */
import { valueText, type SettingChange } from '../../server/protocol/experiment/settingChanges.ts';

const OPENING = '{[';
const CLOSING = '}]';

/**
 * The texts `path=value` of a line. They are separated by white space that stands neither in double quotes nor in brackets:
 * `training.seed=2 compression.layers={"fc1": {"rate": 0.9}}` has two.
 */
export function splitValues(line: string): string[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const sign = line[i];
    if (quoted && sign === '\\') part += line[i++];
    else if (sign === '"') quoted = !quoted;
    else if (!quoted && OPENING.includes(sign)) depth++;
    else if (!quoted && CLOSING.includes(sign)) depth--;
    if (!quoted && depth <= 0 && /\s/.test(sign)) {
      if (part !== '') parts.push(part);
      part = '';
    } else part += line[i] ?? '';
  }
  return part === '' ? parts : [...parts, part];
}

/** `fc1.rate=0.9` for `compression.layers.fc1.rate=0.9`: as long as it takes to recognise it beside its run. */
export function shortValue(override: string): string {
  return override.replace(/^(?:training|compression(?:\[\d+\])?)\.(?:layers\.|schedule\.|optimizer\.)?(?=[^=])/, '');
}

/** `fc1.rate 0.9 → 0.95`. */
export function changeText({ path, from, to }: SettingChange): string {
  return `${shortValue(`${path}=`).slice(0, -1)} ${valueText(from)} → ${valueText(to)}`;
}
