/**
 * @file Python's pickles, read as data (CPython, Lib/pickletools.py). A pickle is a program for a stack machine that may name any
 * function of Python and call it; here a caller says which names there are and what each makes of its arguments, every other name is
 * refused, and nothing is executed. Only the opcodes of protocols 2 to 5 that `torch.save` writes are known. (npm's `pickleparser` calls what
 * a name resolves to, sets attributes and keys on plain objects, has no bounds, and had its last release in 2024.)
 */
import type { ByteSource } from '../byteSource.ts';
import { FormatError } from '../formatError.ts';

/** What a pickle is made of. A tuple, a list and a set are arrays; a dictionary is a map, whose keys are compared by identity. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleGlobal
  | PickleObject
  | PickleValue[]
  | Map<PickleValue, PickleValue>;

/** A function or a class of Python, by its name. */
export class PickleGlobal {
  readonly name: string;
  /** What it makes of its arguments; undefined for one that is only a name, such as that of an element type. */
  readonly call: ((args: readonly PickleValue[]) => PickleValue) | undefined;

  constructor(name: string, call?: (args: readonly PickleValue[]) => PickleValue) {
    this.name = name;
    this.call = call;
  }
}

/** What a caller makes of a call or of a persistent id: this reader does not look into it. */
export abstract class PickleObject {}

export interface PickleNames {
  /**
   * @param name of a function or class, with its module: `collections.OrderedDict`
   * @param isMade true where the pickle makes an object of that class without arguments, as it does for a user's own classes
   * @throws FormatError for a name that is refused
   */
  find(name: string, isMade: boolean): PickleGlobal;
  /** The object of a persistent id, which stands for bytes outside of the pickle. */
  persistent(id: PickleValue): PickleValue;
}

/**
 * Reads one pickle.
 * @param begin its first byte
 * @returns its value, and the byte behind its end
 * @throws FormatError where it is damaged, cut off, or asks for what the caller does not know
 */
export function readPickle(source: ByteSource, begin: number, names: PickleNames): { value: PickleValue; end: number } {
  const machine = new Machine(new Cursor(source, begin), names);
  return { value: machine.run(), end: machine.cursor.at };
}

/** That of a hundred thousand tensors has 20 MB. */
const MOST_BYTES = 100_000_000;
/** Bytes of a name in a line of its own. */
const MOST_LINE = 10_000;

class Cursor {
  readonly #source: ByteSource;
  readonly #begin: number;
  at: number;

  constructor(source: ByteSource, begin: number) {
    this.#source = source;
    this.#begin = begin;
    this.at = begin;
  }

  bytes(count: number): Uint8Array {
    const end = this.at + count;
    if (!(end <= this.#source.length)) throw new FormatError(`its pickle is cut off at byte ${this.#source.length}`);
    if (end - this.#begin > MOST_BYTES)
      throw new FormatError(`its pickle has more than ${MOST_BYTES} bytes; that of a model's tables has less`);
    const bytes = this.#source.read(this.at, end);
    this.at = end;
    return bytes;
  }

  /** The next bytes; fewer at the end of the file. They stay to be read. */
  peek(count: number): Uint8Array {
    return this.#source.read(this.at, Math.min(this.at + count, this.#source.length));
  }

  byte(): number {
    return this.bytes(1)[0];
  }

  view(count: number): DataView {
    const bytes = this.bytes(count);
    return new DataView(bytes.buffer, bytes.byteOffset, count);
  }

  uint32(): number {
    return this.view(4).getUint32(0, true);
  }

  uint64(): number {
    return Number(this.view(8).getBigUint64(0, true));
  }

  text(bytes: number): string {
    return new TextDecoder().decode(this.bytes(bytes));
  }

  line(): string {
    const codes: number[] = [];
    for (let code = this.byte(); code !== 0x0a; code = this.byte()) if (codes.push(code) > MOST_LINE) throw damaged();
    return new TextDecoder().decode(Uint8Array.from(codes));
  }

  /** A two's complement integer. */
  integer(bytes: number): number | bigint {
    let value = 0n;
    const digits = this.bytes(bytes);
    for (let i = digits.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i]);
    value = BigInt.asIntN(8 * bytes, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
}

const MOST_PROTOCOL = 5;
const STOP = 0x2e;
const EMPTY_TUPLE = 0x29;
const NEWOBJ = 0x81;
/** Bytes of the opcodes that put the top of the stack into the memo. */
const PUTS: Readonly<Record<number, number>> = { 0x71: 2, 0x72: 5, 0x94: 1 };

class Machine {
  readonly cursor: Cursor;
  readonly #names: PickleNames;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack at its marks. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(cursor: Cursor, names: PickleNames) {
    this.cursor = cursor;
    this.#names = names;
  }

  run(): PickleValue {
    for (;;) {
      const at = this.cursor.at;
      const opcode = this.cursor.byte();
      if (opcode === STOP) return this.pop();
      const execute = Object.hasOwn(opcodes, opcode) ? opcodes[opcode] : undefined;
      if (!execute)
        throw new FormatError(
          `its pickle has at byte ${at} the opcode 0x${opcode.toString(16)}, which torch.save does not write`,
        );
      execute(this);
    }
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    this.top();
    return this.#stack.pop() as PickleValue;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  popToMark(): PickleValue[] {
    const height = this.#marks.pop();
    if (height === undefined || height > this.#stack.length) throw damaged();
    return this.#stack.splice(height);
  }

  popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  top(): PickleValue {
    const top = this.#stack.at(-1);
    if (top === undefined || this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw damaged();
    return top;
  }

  remember(index = this.#memo.size): void {
    this.#memo.set(index, this.top());
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw damaged();
    this.push(value);
  }

  global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw damaged();
    this.push(this.#names.find(`${module}.${name}`, this.#isMade()));
  }

  /** What a function makes of its arguments, or a class: the caller knows either. */
  call(): void {
    const [callee, args] = this.popMany(2);
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args)) throw damaged();
    if (!callee.call) throw new FormatError(`its pickle calls ${callee.name}, which is no function`);
    this.push(callee.call(args));
  }

  persistent(): void {
    this.push(this.#names.persistent(this.pop()));
  }

  /** Attributes of an object say nothing of tensors: PyTorch gives a state dict the versions of its modules. */
  build(): void {
    this.pop();
    this.top();
  }

  setItems(items: readonly PickleValue[]): void {
    const table = this.top();
    if (!(table instanceof Map) || items.length % 2 !== 0) throw damaged();
    for (let i = 0; i < items.length; i += 2) table.set(items[i], items[i + 1]);
  }

  append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw damaged();
    for (const item of items) list.push(item);
  }

  /** True where the class that was just named is called without arguments at once. */
  #isMade(): boolean {
    const next = this.cursor.peek(7);
    const at = PUTS[next[0]] ?? 0;
    return next[at] === EMPTY_TUPLE && next[at + 1] === NEWOBJ;
  }
}

function damaged(): FormatError {
  return new FormatError('its pickle is damaged');
}

const integer = (read: (cursor: Cursor) => number | bigint) => (machine: Machine) => machine.push(read(machine.cursor));
const text = (length: (cursor: Cursor) => number) => (machine: Machine) =>
  machine.push(machine.cursor.text(length(machine.cursor)));
const bytes = (length: (cursor: Cursor) => number) => (machine: Machine) =>
  machine.push(machine.cursor.bytes(length(machine.cursor)).slice());
const constant = (value: PickleValue) => (machine: Machine) => machine.push(value);
const tuple = (count: number) => (machine: Machine) => machine.push(machine.popMany(count));

const opcodes: Readonly<Record<number, (machine: Machine) => void>> = {
  // PROTO
  0x80({ cursor }) {
    const version = cursor.byte();
    if (version > MOST_PROTOCOL)
      throw new FormatError(`its pickle has the protocol ${version}; at most ${MOST_PROTOCOL} is read`);
  },
  // FRAME: its length is not needed.
  0x95: ({ cursor }) => void cursor.bytes(8),
  // MARK, POP
  0x28: (machine) => machine.mark(),
  0x30: (machine) => void machine.pop(),
  // NONE, NEWTRUE, NEWFALSE
  0x4e: constant(null),
  0x88: constant(true),
  0x89: constant(false),
  // BININT, BININT1, BININT2, LONG1, BINFLOAT
  0x4a: integer((cursor) => cursor.view(4).getInt32(0, true)),
  0x4b: integer((cursor) => cursor.byte()),
  0x4d: integer((cursor) => cursor.view(2).getUint16(0, true)),
  0x8a: integer((cursor) => cursor.integer(cursor.byte())),
  0x47: integer((cursor) => cursor.view(8).getFloat64(0, false)),
  // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8; of Python 2 BINSTRING, SHORT_BINSTRING
  0x58: text((cursor) => cursor.uint32()),
  0x8c: text((cursor) => cursor.byte()),
  0x8d: text((cursor) => cursor.uint64()),
  0x54: text((cursor) => cursor.uint32()),
  0x55: text((cursor) => cursor.byte()),
  // BINBYTES, SHORT_BINBYTES, BINBYTES8
  0x42: bytes((cursor) => cursor.uint32()),
  0x43: bytes((cursor) => cursor.byte()),
  0x8e: bytes((cursor) => cursor.uint64()),
  // EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3
  0x29: tuple(0),
  0x74: (machine) => machine.push(machine.popToMark()),
  0x85: tuple(1),
  0x86: tuple(2),
  0x87: tuple(3),
  // EMPTY_LIST, APPEND, APPENDS
  0x5d: tuple(0),
  0x61: (machine) => machine.append([machine.pop()]),
  0x65: (machine) => machine.append(machine.popToMark()),
  // EMPTY_SET, ADDITEMS
  0x8f: tuple(0),
  0x90: (machine) => machine.append(machine.popToMark()),
  // EMPTY_DICT, SETITEM, SETITEMS
  0x7d: (machine) => machine.push(new Map()),
  0x73: (machine) => machine.setItems(machine.popMany(2)),
  0x75: (machine) => machine.setItems(machine.popToMark()),
  // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  0x71: (machine) => machine.remember(machine.cursor.byte()),
  0x72: (machine) => machine.remember(machine.cursor.uint32()),
  0x94: (machine) => machine.remember(),
  0x68: (machine) => machine.recall(machine.cursor.byte()),
  0x6a: (machine) => machine.recall(machine.cursor.uint32()),
  // GLOBAL, STACK_GLOBAL
  0x63: (machine) => machine.global(machine.cursor.line(), machine.cursor.line()),
  0x93(machine) {
    const [module, name] = machine.popMany(2);
    machine.global(module, name);
  },
  // REDUCE, NEWOBJ, BUILD, BINPERSID
  0x52: (machine) => machine.call(),
  0x81: (machine) => machine.call(),
  0x62: (machine) => machine.build(),
  0x51: (machine) => machine.persistent(),
};
