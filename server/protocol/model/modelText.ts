/**
 * @file The places at which the text of a user's model makes its layers, read without running it: what the language server and the marks
 * beside the code know of a model file.
 */
import { LayerPattern } from '../experiment/layerPattern.ts';
import { madeUpName } from './madeUpNames.ts';

/** A call that makes a layer. Offsets are in UTF-16 code units of the text. */
export interface LayerCall {
  /** tfjs name of the function: `dense`, `conv2d`, `lstm`, `timeDistributed`, … */
  readonly kind: string;
  /** From the name of the function to the parenthesis that closes its arguments. */
  readonly start: number;
  readonly end: number;
  /** Its options `{…}`, with the braces; undefined where they are not written in the call. */
  readonly options?: { readonly start: number; readonly end: number };
  /**
   * The string after `name:`, without its quotes; undefined for a layer that tfjs names, or whose name is computed. Of a template
   * (`lstm${i}`) the text is as it is written: one call may make several layers.
   */
  readonly name?: { readonly text: string; readonly start: number; readonly end: number };
}

/** A layer of a model, as a run or a description has it. */
export interface NamedLayer {
  /** A layer inside another has the path of both: `encoder/fc1`. */
  readonly layer: string;
  /** tfjs class name, where it is known. */
  readonly layerClass?: string | undefined;
}

const CALL = /\blayers\s*\.\s*([a-zA-Z]\w*)\s*\(/g;
/** A key of an object. */
const NAME = /\bname\s*:\s*(['"`])((?:(?!\1)[^\\\n]){1,500})\1/g;
/** Layers of tfjs have shorter names. */
const LONGEST_NAME = 200;
/** Calls of a text that are looked at: no model has so many, and a text that somebody else made can have any number. */
const MOST_CALLS = 2000;
/** Most characters of templates that are compared with those of names, see {@link locateLayers}: some tenths of a second. */
const MOST_COMPARED = 5e7;

/** The calls `layers.KIND(…)` of a text, in its order; a layer within another's arguments follows it. */
export function layerCalls(text: string): LayerCall[] {
  const code = blankComments(text);
  const brackets = bracketsOf(code);
  const names = new Map<number, LayerCall['name']>();
  for (const match of code.matchAll(NAME)) {
    const object = brackets.around(match.index);
    const end = match.index + match[0].length - 1;
    if (!names.has(object)) names.set(object, { text: match[2], start: end - match[2].length, end });
  }
  const calls: LayerCall[] = [];
  for (const match of code.matchAll(CALL)) {
    if (calls.length === MOST_CALLS) break;
    const open = match.index + match[0].length - 1;
    const end = brackets.closing(open);
    if (end === undefined) continue;
    const start = match.index + match[0].indexOf(match[1], 'layers'.length);
    let brace = open + 1;
    while (/\s/.test(code[brace])) brace++;
    const close = code[brace] === '{' ? brackets.closing(brace) : undefined;
    const options = close === undefined ? undefined : { start: brace, end: close + 1 };
    const name = options && names.get(brace);
    calls.push({ kind: match[1], start, end: end + 1, ...(options && { options }), ...(name && { name }) });
  }
  return calls;
}

/**
 * The call that makes each layer: the one with its name, or with a template that its name fits; a layer that tfjs named has
 * the next call of its kind without a name. Layers that no call is found for are left out.
 */
export function locateLayers<L extends NamedLayer>(
  layers: readonly L[],
  calls: readonly LayerCall[],
): Map<L, LayerCall> {
  const places = new Map<L, LayerCall>();
  const unnamed = calls.filter(({ name }) => name === undefined);
  const named = new Map<string, LayerCall>();
  for (const call of calls) if (call.name && !named.has(call.name.text)) named.set(call.name.text, call);
  const templates = Array.from(named, ([text, call]) => ({ call, pattern: templatePattern(text) }));
  let compared = 0;
  const templateOf = (name: string) =>
    templates.find(({ call, pattern }) => {
      if (!pattern || !name.startsWith(pattern.prefix)) return false;
      compared += call.name!.text.length * name.length;
      return compared <= MOST_COMPARED && pattern.matches(name);
    })?.call;
  for (const layer of layers) {
    const own = layer.layer.slice(layer.layer.lastIndexOf('/') + 1);
    const call = named.get(own) ?? templateOf(own) ?? nextUnnamed(unnamed, own, layer.layerClass);
    if (call) places.set(layer, call);
  }
  return places;
}

/** What a template (`lstm${i}`) makes: something in each of its places. Undefined for a name without a place. */
function templatePattern(template: string): LayerPattern | undefined {
  const parts = template.slice(0, LONGEST_NAME).split(/\$\{[^}]*\}/);
  if (parts.length === 1) return undefined;
  return new LayerPattern(parts.map((part) => part.replace(/[*?[\]{}\\]/g, '\\$&')).join('?*'));
}

/** The call of a layer that tfjs named; it is taken out of the list. */
function nextUnnamed(calls: LayerCall[], name: string, knownClass: string | undefined): LayerCall | undefined {
  const made = madeUpName(name);
  if (!made) return undefined;
  const layerClass = knownClass ?? made.layerClass;
  const index = calls.findIndex(({ kind }) => kind.toLowerCase() === layerClass.toLowerCase());
  return index < 0 ? undefined : calls.splice(index, 1)[0];
}

/** The text with spaces in place of comments, so that offsets stay; what stands in strings stays. */
export function blankComments(text: string): string {
  const parts: string[] = [];
  let kept = 0;
  for (let at = 0; at < text.length; at++) {
    if (isQuote(text[at])) at = endOfString(text, at);
    const end = text[at] === '/' ? endOfComment(text, at) : undefined;
    if (end === undefined) continue;
    parts.push(text.slice(kept, at), text.slice(at, end).replace(/[^\n]/g, ' '));
    kept = end;
    at = end - 1;
  }
  return parts.join('') + text.slice(kept);
}

/** Undefined where no comment begins. */
function endOfComment(text: string, at: number): number | undefined {
  const sign = text[at + 1];
  if (sign !== '/' && sign !== '*') return undefined;
  const end = text.indexOf(sign === '/' ? '\n' : '*/', at + 2);
  if (end < 0) return text.length;
  return sign === '/' ? end : end + 2;
}

export interface Brackets {
  /** Offset of the bracket that closes the one at `open`; undefined where none does. */
  closing(open: number): number | undefined;
  /** Offset of the innermost bracket that is open before an offset; -1 outside of all. */
  around(offset: number): number;
}

/** The brackets of a text, each looked at once; those in strings do not count. */
export function bracketsOf(code: string): Brackets {
  const closings = new Map<number, number>();
  const around = new Int32Array(code.length).fill(-1);
  const open: number[] = [];
  for (let at = 0; at < code.length; at++) {
    around[at] = open.at(-1) ?? -1;
    if (isQuote(code[at])) at = endOfString(code, at);
    else if ('([{'.includes(code[at])) open.push(at);
    else if (')]}'.includes(code[at]) && open.length > 0) closings.set(open.pop()!, at);
  }
  return { closing: (offset) => closings.get(offset), around: (offset) => around[offset] };
}

function isQuote(sign: string): boolean {
  return sign === '"' || sign === "'" || sign === '`';
}

/** Offset of the quote that ends a string; of one of a single line that has none, the end of the line. */
export function endOfString(code: string, open: number): number {
  for (let at = open + 1; at < code.length; at++) {
    if (code[at] === '\\') at++;
    else if (code[at] === code[open] || (code[at] === '\n' && code[open] !== '`')) return at;
  }
  return code.length;
}
