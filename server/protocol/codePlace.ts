/** @file The place in a user's code that a message names, as {@link withCodePlace} wrote it. */
import { fileName } from './fileName.ts';

export interface CodePlace {
  /** Absolute path. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

const PLACE = /\(((?:\/|[A-Za-z]:[\\/])[^()\n]*):(\d+):(\d+)\)/g;

/** `Unknown layer (/home/user/net.ts:6:9)` */
export function withCodePlace(message: string, { file, line, column }: CodePlace): string {
  return `${message} (${file}:${line}:${column})`;
}

/** The last place that a message names. */
export function codePlaceIn(message: string): CodePlace | undefined {
  const found = [...message.matchAll(PLACE)].at(-1);
  return found && { file: found[1], line: Number(found[2]), column: Number(found[3]) };
}

/** A message without the place that it names, and with the name of the file instead of its path. */
export function withoutCodePlace(message: string, place: CodePlace): string {
  return message.replace(withCodePlace('', place), '').replaceAll(place.file, fileName(place.file));
}
