/**
 * @file Where the text of a user's model makes its layers, read without running it: what the language server and the marks
 * beside the code know of a model file.
 */

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
/** A key of an object that is not inside of another. */
const NAME = /\bname\s*:\s*(['"`])((?:(?!\1)[^\\\n])+)\1/g;
/** What a template puts in. */
const PLACEHOLDER = /\$\{[^}]*\}/g;
/** A name that was not given, but made up by tfjs: `dense_Dense3`, `sequential_2`. */
const MADE_UP = /^.*_[A-Z]\w*?\d+$/;

/** The calls `layers.KIND(…)` of a text, in its order; a layer within another's arguments follows it. */
export function layerCalls(text: string): LayerCall[] {
  const code = blankComments(text);
  return [...code.matchAll(CALL)].flatMap((match): LayerCall[] => {
    const open = match.index + match[0].length - 1;
    const end = closing(code, open);
    if (end === undefined) return [];
    const start = match.index + match[0].indexOf(match[1]);
    const brace = open + 1 + /^\s*/.exec(code.slice(open + 1))![0].length;
    const close = code[brace] === '{' ? closing(code, brace) : undefined;
    if (close === undefined) return [{ kind: match[1], start, end: end + 1 }];
    const name = nameIn(code, brace, close);
    return [{ kind: match[1], start, end: end + 1, options: { start: brace, end: close + 1 }, ...(name && { name }) }];
  });
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
  for (const layer of layers) {
    const own = layer.layer.split('/').at(-1)!;
    const call =
      calls.find(({ name }) => name?.text === own) ??
      calls.find(({ name }) => name !== undefined && fits(own, name.text)) ??
      (MADE_UP.test(own) ? nextOfKind(unnamed, layer.layerClass ?? own.replace(/^.*_|\d+$/g, '')) : undefined);
    if (call) places.set(layer, call);
  }
  return places;
}

function fits(name: string, template: string): boolean {
  if (template.search(PLACEHOLDER) < 0) return false;
  const parts = template.split(PLACEHOLDER).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`).test(name);
}

/** Takes it out of the list. */
function nextOfKind(calls: LayerCall[], layerClass: string): LayerCall | undefined {
  const index = calls.findIndex(({ kind }) => kind.toLowerCase() === layerClass.toLowerCase());
  return index < 0 ? undefined : calls.splice(index, 1)[0];
}

/** The text with spaces in place of comments, so that offsets stay; what stands in strings stays. */
export function blankComments(text: string): string {
  return text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[^])*`)|\/\/[^\n]*|\/\*[^]*?\*\//g,
    (all, string: string | undefined) => string ?? all.replace(/[^\n]/g, ' '),
  );
}

/** Offset of the bracket that closes the one at `open`; brackets in strings do not count. Undefined where none does. */
function closing(code: string, open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    const sign = code[at];
    if (sign === '"' || sign === "'" || sign === '`') at = endOfString(code, at);
    else if ('([{'.includes(sign)) depth++;
    else if (')]}'.includes(sign) && --depth === 0) return at;
  }
  return undefined;
}

function endOfString(code: string, open: number): number {
  for (let at = open + 1; at < code.length; at++) {
    if (code[at] === '\\') at++;
    else if (code[at] === code[open] || (code[at] === '\n' && code[open] !== '`')) return at;
  }
  return code.length;
}

function nameIn(code: string, open: number, close: number): LayerCall['name'] {
  for (const match of code.slice(open + 1, close).matchAll(NAME)) {
    const at = open + 1 + match.index;
    if (depthAt(code, open, at) !== 1) continue;
    const end = at + match[0].length - 1;
    return { text: match[2], start: end - match[2].length, end };
  }
  return undefined;
}

function depthAt(code: string, open: number, at: number): number {
  let depth = 0;
  for (let i = open; i < at; i++) {
    if (code[i] === '"' || code[i] === "'" || code[i] === '`') i = endOfString(code, i);
    else if ('([{'.includes(code[i])) depth++;
    else if (')]}'.includes(code[i])) depth--;
  }
  return depth;
}
