/** @file What `fixtures/make_fixtures.py` wrote. */
import { readFileSync } from 'node:fs';

export interface ImageFixture {
  file: Buffer;
  width: number;
  height: number;
  channels: 1 | 3;
  pixels: Buffer;
}

export interface ResizeFixture extends Omit<ImageFixture, 'file'> {
  /** Width and height. */
  size: [number, number];
  resized: Buffer;
}

interface Fixtures {
  png: Record<string, ImageFixture>;
  jpeg: Record<string, ImageFixture>;
  resize: Record<string, ResizeFixture>;
  luma: { rgb: Buffer; gray: Buffer };
}

const BYTES = new Set(['file', 'pixels', 'resized', 'rgb', 'gray']);

export const fixtures = JSON.parse(
  readFileSync(new URL('./fixtures/images.json', import.meta.url), 'utf8'),
  (key, value: unknown) => (BYTES.has(key) && typeof value === 'string' ? Buffer.from(value, 'base64') : value),
) as Fixtures;
