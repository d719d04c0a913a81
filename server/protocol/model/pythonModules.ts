/**
 * @file The places at which Python code makes the modules of a PyTorch model, read without running it: classes, and what they assign to
 * `self`. Modules are followed through classes of the file, `nn.Sequential`, `nn.ModuleList` and `nn.ModuleDict`, by the paths that
 * PyTorch gives parameters (`layer1.0.conv1`).
 */
import { bracketsOf, endOfString, type Brackets, type LayerCall } from './modelText.ts';

/** What an expression makes. */
interface MadeModule {
  /** `nn.Linear`, from its first letter, and the parenthesis that closes its arguments. */
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  /** The name that it is assigned to, or its key. */
  readonly name?: LayerCall['name'];
  /** A class of the file. */
  readonly ofClass?: string;
  /** Modules in it by their keys: positions, or texts. */
  readonly children?: ReadonlyMap<string, readonly MadeModule[]>;
  /** What each position holds, where positions are not written one by one. */
  readonly each?: readonly MadeModule[];
}

/** A class that is a module by its bases. */
interface ModuleClass {
  readonly name: string;
  /** By their names; several where one is assigned in several places. */
  readonly attributes: ReadonlyMap<string, readonly MadeModule[]>;
}

/** Larger texts are no code that somebody wrote. */
const MOST_CHARACTERS = 1024 * 1024;
const MOST_CLASSES = 500;
/** Modules within modules. */
const DEEPEST = 30;
/** Prefixes that wrappers of PyTorch give all names. */
const WRAPPERS = /^(?:_orig_mod\.|module\.)+/;

/**
 * The place that makes each layer of a model. The model is the class of the file that has most of them; where it has less than half of
 * them, it is another model, and nothing is found.
 * @param layers paths of modules, `layer1.0.conv1`
 */
export function locateModules(text: string, layers: readonly string[]): Map<string, LayerCall> {
  const classes = moduleClasses(text);
  let best = new Map<string, LayerCall>();
  for (const root of classes.values()) {
    const found = new Map<string, LayerCall>();
    for (const layer of layers) {
      const place = follow(root, layer.replace(WRAPPERS, '').split('.'), classes);
      if (place) found.set(layer, place);
    }
    if (found.size > best.size) best = found;
  }
  return best.size * 2 >= layers.length ? best : new Map();
}

/** Names of the classes of a text that are modules and that no other class of it contains, in its order. */
export function modelClasses(text: string): string[] {
  const classes = moduleClasses(text);
  const inner = new Set<string>();
  const visit = ({ ofClass, children, each = [] }: MadeModule): void => {
    if (ofClass !== undefined) inner.add(ofClass);
    for (const child of [...(children?.values() ?? [])].flat().concat(each)) visit(child);
  };
  for (const { attributes } of classes.values()) [...attributes.values()].flat().forEach(visit);
  return [...classes.keys()].filter((name) => !inner.has(name));
}

/** The only place that a path leads to; undefined where it leads to none, or to several. */
function follow(
  root: ModuleClass,
  path: readonly string[],
  classes: ReadonlyMap<string, ModuleClass>,
): LayerCall | undefined {
  let found = root.attributes.get(path[0]) ?? [];
  for (const key of path.slice(1, DEEPEST)) {
    if (found.length !== 1) return undefined;
    found = childrenOf(found[0], key, classes);
  }
  if (path.length > DEEPEST || found.length !== 1) return undefined;
  const [{ kind, start, end, name }] = found;
  return { kind, start, end, ...(name && { name }) };
}

function childrenOf(
  { ofClass, children, each }: MadeModule,
  key: string,
  classes: ReadonlyMap<string, ModuleClass>,
): readonly MadeModule[] {
  if (ofClass !== undefined) return classes.get(ofClass)?.attributes.get(key) ?? [];
  return children?.get(key) ?? (each && /^\d+$/.test(key) ? each : []);
}

const CLASS = /^([ \t]*)class[ \t]+(\w+)[ \t]*(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\))?[ \t]*:/gm;
/** Bases that make a class a module: of PyTorch, of its libraries. */
const MODULE_BASE = /(?:^|\.)(?:\w*Module|PreTrainedModel|Sequential)$/;
/** `self.NAME = `, `self.NAME: TYPE = `, `self.add_module('NAME', ` */
const ASSIGNED =
  /\bself\.(?!add_module\(|register_module\()(\w+)[ \t]*(?::[^=\n]+)?=(?!=)[ \t]*|\bself\.(?:add|register)_module\([ \t]*(['"])(\w+)\2[ \t]*,[ \t]*/g;

function moduleClasses(text: string): ReadonlyMap<string, ModuleClass> {
  const classes = new Map<string, ModuleClass>();
  if (text.length > MOST_CHARACTERS) return classes;
  const code = blankPython(text);
  const found = Array.from(code.matchAll(CLASS)).slice(0, MOST_CLASSES);
  const names = new Set<string>();
  // A class may have one below it as its base: until nothing is added.
  for (let count = -1; count !== names.size;) {
    count = names.size;
    for (const [, , name, bases = ''] of found)
      if (bases.split(',').some((base) => MODULE_BASE.test(base.trim()) || names.has(base.trim()))) names.add(name);
  }
  const blocks = found.map(({ 0: head, 1: indentation, 2: name, index }) => ({
    name,
    start: index + head.length,
    indentation: indentation.length,
    attributes: new Map<string, MadeModule[]>(),
  }));
  const reader = new ExpressionReader(code, names);
  const open: typeof blocks = [];
  let next = 0;
  forEachAssignment(code, (at, assigned) => {
    // Blocks that begin above it are open until a line that is indented no deeper.
    while (next < blocks.length && blocks[next].start <= at) {
      while (open.length > 0 && open[open.length - 1].indentation >= blocks[next].indentation) open.pop();
      open.push(blocks[next++]);
    }
    while (open.length > 0 && open[open.length - 1].indentation >= assigned.indentation) open.pop();
    const block = open.at(-1);
    const made = block && names.has(block.name) ? reader.moduleAt(assigned.value) : undefined;
    if (!block || !made) return;
    const { name, nameStart } = assigned;
    const place = { text: name, start: nameStart, end: nameStart + name.length };
    block.attributes.set(name, [...(block.attributes.get(name) ?? []), { ...made, name: place }]);
  });
  for (const { name, attributes } of blocks)
    if (names.has(name) && !classes.has(name)) classes.set(name, { name, attributes });
  return classes;
}

interface Assignment {
  readonly name: string;
  readonly nameStart: number;
  /** Offset of what is assigned. */
  readonly value: number;
  /** White space in front of the line. */
  readonly indentation: number;
}

/** What is assigned to `self`, in the order of the code. */
function forEachAssignment(code: string, take: (at: number, assignment: Assignment) => void): void {
  for (const match of code.matchAll(ASSIGNED)) {
    const { 0: all, 1: attribute, 3: added, index } = match;
    const name = attribute ?? added;
    const line = code.lastIndexOf('\n', index) + 1;
    const indentation = /^[ \t]*/.exec(code.slice(line, line + 200))?.[0].length ?? 0;
    take(index, { name, nameStart: index + all.indexOf(name, 'self.'.length), value: index + all.length, indentation });
  }
}

const CALL = /[A-Za-z_][\w.]*(?=[ \t]*\()/y;
const KEY = /(['"])([^'"\n]*)\1[ \t]*/y;

/** Reads expressions that make modules. */
class ExpressionReader {
  readonly #code: string;
  readonly #names: ReadonlySet<string>;
  readonly #brackets: Brackets;

  constructor(code: string, names: ReadonlySet<string>) {
    this.#code = code;
    this.#names = names;
    this.#brackets = bracketsOf(code);
  }

  /** Undefined for what is no call of a class: its name begins with a capital letter. */
  moduleAt(at: number, depth = 0): MadeModule | undefined {
    CALL.lastIndex = at;
    const kind = CALL.exec(this.#code)?.[0];
    if (kind === undefined || depth > DEEPEST) return undefined;
    const open = this.#code.indexOf('(', at + kind.length);
    const close = this.#brackets.closing(open);
    if (close === undefined) return undefined;
    const place = { kind, start: at, end: close + 1 };
    const name = kind.slice(kind.lastIndexOf('.') + 1);
    if (kind.startsWith('self.')) return this.#ofMethod(place, open + 1, close);
    if (this.#names.has(kind)) return { ...place, ofClass: kind };
    if (!/^[A-Z]/.test(name)) return undefined;
    if (name === 'Sequential' || name === 'ModuleList' || name === 'ModuleDict')
      return { ...place, ...this.#contents(open + 1, close, depth) };
    return place;
  }

  /** A method of the class makes a list of one of the classes that it is given, as in ResNets. */
  #ofMethod(place: MadeModule, start: number, end: number): MadeModule | undefined {
    const given = this.#parts(start, end)
      .map(({ from, to }) => this.#code.slice(from, to).trim())
      .filter((part) => this.#names.has(part));
    return given.length === 1 ? { ...place, each: [{ ...place, ofClass: given[0] }] } : undefined;
  }

  #contents(start: number, end: number, depth: number): Pick<MadeModule, 'children' | 'each'> {
    let parts = this.#parts(start, end);
    // A list, a table or an OrderedDict as the only argument, which may be taken apart by a star.
    if (parts.length === 1) {
      const [{ from, to }] = parts;
      const each = this.#comprehended(from, to, depth);
      if (each) return { each: [each] };
      const inner = /^\**[ \t]*(?:[\w.]*OrderedDict[ \t]*\([ \t\n]*)?[[{]/.exec(this.#code.slice(from, to))?.[0];
      const open = inner === undefined ? undefined : from + inner.length - 1;
      const close = open === undefined ? undefined : this.#brackets.closing(open);
      if (open !== undefined && close !== undefined) {
        const item = this.#comprehended(open + 1, close, depth);
        if (item) return { each: [item] };
        parts = this.#parts(open + 1, close);
      }
    }
    const children = new Map<string, MadeModule[]>();
    parts.forEach((part, i) => {
      const { key = String(i), at } = this.#keyed(part.from);
      const made = this.moduleAt(at, depth + 1);
      // What is behind a star has as many positions as it has.
      if (this.#code[part.from] === '*') return;
      if (made) children.set(key, [...(children.get(key) ?? []), made]);
    });
    return { children };
  }

  /** The module that `MODULE for x in …` makes each time. */
  #comprehended(start: number, end: number, depth: number): MadeModule | undefined {
    const from = this.#skipSpace(start);
    const made = this.moduleAt(from, depth + 1);
    if (!made) return undefined;
    const behind = this.#code.slice(made.end, end);
    return /^\s*for\b/.test(behind) ? made : undefined;
  }

  /** `('conv', MODULE)` and `'conv': MODULE`; a module without a key has its position. */
  #keyed(from: number): { key?: string; at: number } {
    const start = this.#code[from] === '(' ? this.#skipSpace(from + 1) : from;
    KEY.lastIndex = start;
    const match = KEY.exec(this.#code);
    if (!match) return { at: from };
    const behind = this.#skipSpace(start + match[0].length);
    if (!',:'.includes(this.#code[behind])) return { at: from };
    return { key: match[2], at: this.#skipSpace(behind + 1) };
  }

  /** What commas separate, outside of brackets; empty parts are left out. */
  #parts(start: number, end: number): { from: number; to: number }[] {
    const parts: { from: number; to: number }[] = [];
    const add = (from: number, to: number) => {
      const first = this.#skipSpace(from);
      if (first < to) parts.push({ from: first, to });
    };
    let from = start;
    for (let at = start; at < end; at++) {
      const sign = this.#code[at];
      if (sign === '"' || sign === "'") at = endOfString(this.#code, at);
      else if ('([{'.includes(sign)) at = this.#brackets.closing(at) ?? end;
      else if (sign === ',') {
        add(from, at);
        from = at + 1;
      }
    }
    add(from, end);
    return parts;
  }

  #skipSpace(at: number): number {
    while (/\s/.test(this.#code[at] ?? '')) at++;
    return at;
  }
}

/** The text with spaces in place of comments and of strings over several lines, so that offsets stay. */
function blankPython(text: string): string {
  const parts: string[] = [];
  let kept = 0;
  const blank = (from: number, to: number) => {
    parts.push(text.slice(kept, from), text.slice(from, to).replace(/[^\n]/g, ' '));
    kept = to;
  };
  const sign = /["'#]/g;
  for (let match = sign.exec(text); match; match = sign.exec(text)) {
    const at = match.index;
    const quotes = text.slice(at, at + 3);
    if (text[at] === '#') {
      const end = text.indexOf('\n', at);
      blank(at, end < 0 ? text.length : end);
      sign.lastIndex = end < 0 ? text.length : end;
    } else if (quotes === '"""' || quotes === "'''") {
      const end = text.indexOf(quotes, at + 3);
      blank(at, end < 0 ? text.length : end + 3);
      sign.lastIndex = kept;
    } else {
      sign.lastIndex = endOfString(text, at) + 1;
    }
  }
  return parts.join('') + text.slice(kept);
}
