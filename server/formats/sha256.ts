/** @file SHA-256 of a file. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** In hexadecimal digits. @param source a path, or the bytes of a file */
export async function sha256Of(source: string | Readable, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(typeof source === 'string' ? createReadStream(source) : source, hash, { signal });
  return hash.digest('hex');
}
