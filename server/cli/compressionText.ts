/** @file `compression` of an experiment file, to paste. */
import { oneLine } from '../protocol/experiment/oneLine.ts';
import { isRecord } from '../protocol/record.ts';

/** JSON with a line for each layer. @param compression one, or a list of them */
export function compressionText(compression: unknown): string {
  if (!Array.isArray(compression)) return textOf(compression);
  const entries = (compression as readonly unknown[]).map((entry) => textOf(entry).replaceAll(/^/gm, '  '));
  return `[\n${entries.join(',\n')}\n]`;
}

function textOf(compression: unknown): string {
  const { layers, ...settings } = isRecord(compression) ? compression : {};
  const line = ([key, value]: [string, unknown]) => `${JSON.stringify(key)}: ${oneLine(value)}`;
  const ofLayers = Object.entries(isRecord(layers) ? layers : {}).map((entry) => `    ${line(entry)}`);
  const ofMethod = Object.entries(settings).map((entry) => `  ${line(entry)},\n`);
  return `{\n${ofMethod.join('')}  "layers": {\n${ofLayers.join(',\n')}\n  }\n}`;
}
