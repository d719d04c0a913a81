/** @file Checks of what arrives from the extension. */
import { isRecord } from '../server/protocol/record.ts';

export type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isNumber = (value: unknown): boolean => typeof value === 'number';
export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
export const optional =
  (check: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || value === null || check(value);
export const listOf =
  (check: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(check);
export const has =
  (shape: Shape) =>
  (value: unknown): boolean =>
    isRecord(value) && Object.entries(shape).every(([key, check]) => check(value[key]));
export const recordOf =
  (check: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    isRecord(value) && Object.values(value).every(check);

/** A check for each property of each type of message. */
export type ShapesOf<Message extends { readonly type: string }> = { readonly [Type in Message['type']]: Shape };

/**
 * The message, or undefined for a type that this version does not know.
 * @throws TypeError that names what is wrong, for one that has not the shape of its type
 */
export function checkMessage<Message extends { readonly type: string }>(
  data: unknown,
  shapes: ShapesOf<Message>,
): Message | undefined {
  if (!isRecord(data) || typeof data.type !== 'string') throw new TypeError('A message to the page has no type.');
  if (!Object.hasOwn(shapes, data.type)) return undefined;
  for (const [key, check] of Object.entries(shapes[data.type as Message['type']]))
    if (!check(data[key])) throw new TypeError(`A message "${data.type}" to the page has a wrong "${key}".`);
  return data as unknown as Message;
}
