/** @file TensorBoard's messages and records, beside those that its own Python code writes (messages.py). */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../../../server/formats/crc32c.ts';
import {
  restartEvent,
  SESSION_END_TAG,
  SESSION_START_TAG,
  summaryEvent,
  versionEvent,
} from '../../../../server/formats/tensorboard/eventMessage.ts';
import { encodeRecord } from '../../../../server/formats/tensorboard/recordFile.ts';
import { readRecords, slowCrc32c } from './eventFile.ts';

const messages = JSON.parse(readFileSync(new URL('messages.json', import.meta.url), 'utf8')) as Record<string, string>;

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

test('the checksum has the values of RFC 3720, appendix B.4', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
});

test('the checksum by bytes is that by bits', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => crc32c(bytes) === slowCrc32c(bytes)));
});

test('a record is that of TensorBoard', () => {
  expect(base64(encodeRecord(Buffer.from('a record of TensorBoard')))).toBe(messages.record);
});

test('records are read again, and one that was changed is refused', () => {
  const records = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(70_000, 7)];
  const file = Buffer.concat(records.map(encodeRecord));
  expect(readRecords(file)).toEqual(records);
  file[13] ^= 1;
  expect(() => readRecords(file)).toThrow('The record at 0 is damaged.');
});

test('the events that begin a file and go back are those of TensorBoard', () => {
  expect(base64(versionEvent(1700000000.25))).toBe(messages.version);
  expect(base64(restartEvent({ wallTime: 1700000001.5, step: 301 }))).toBe(messages.restart);
});

test('a scalar, a histogram and a text are those of TensorBoard', () => {
  const event = summaryEvent({ wallTime: 1700000002, step: 300 }, [
    { tag: 'train/loss', scalar: 0.125 },
    { tag: 'weights/fc1/kernel/after', histogram: { edges: [-1, 0, 1], counts: [1, 3] } },
    { tag: 'settings', text: '| setting |\n' },
  ]);
  expect(base64(event)).toBe(messages.summary);
});

test('the beginning and the end of a session are those of the HParams plugin', () => {
  const time = { wallTime: 1700000003, step: 3 };
  const start = { tag: SESSION_START_TAG, hyperParameters: new Map([['rate', 0.9]]), startSeconds: 1700000000.25 };
  expect(base64(summaryEvent(time, [start]))).toBe(messages.start);
  expect(base64(summaryEvent(time, [{ tag: SESSION_END_TAG, endSeconds: 1700000009 }]))).toBe(messages.end);
});
