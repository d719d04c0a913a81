/**
 * @file Takes the place of `@vscode/spdlog` in the browser VS Code: log files without a native module. Nothing is rotated:
 * the logs live in a temporary folder. What is written before the end of a turn of the event loop is written at once.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

const levels = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'];
let defaultLevel = 2;

class Logger {
  /** @param {string} path */
  constructor(path) {
    this.path = path;
    this.level = defaultLevel;
    this.plain = false;
    this.waiting = '';
  }

  /** @param {number} level @param {string} message */
  write(level, message) {
    if (level < this.level) return;
    const time = new Date().toISOString().replace('T', ' ').replace('Z', '');
    if (this.waiting === '') setImmediate(() => this.flush());
    this.waiting += this.plain ? message : `${time} [${levels[level]}] ${message}\n`;
  }

  /** @param {string} message */
  trace(message) {
    this.write(0, message);
  }
  /** @param {string} message */
  debug(message) {
    this.write(1, message);
  }
  /** @param {string} message */
  info(message) {
    this.write(2, message);
  }
  /** @param {string} message */
  warn(message) {
    this.write(3, message);
  }
  /** @param {string} message */
  error(message) {
    this.write(4, message);
  }
  /** @param {string} message */
  critical(message) {
    this.write(5, message);
  }

  getLevel() {
    return this.level;
  }
  /** @param {number} level */
  setLevel(level) {
    this.level = level;
  }
  setPattern() {}
  clearFormatters() {
    this.plain = true;
  }
  flush() {
    if (this.waiting === '') return;
    const text = this.waiting;
    this.waiting = '';
    try {
      mkdirSync(dirname(this.path), { recursive: true });
      appendFileSync(this.path, text);
    } catch {
      // The folder of the logs was removed: the editor is being closed.
    }
  }
  drop() {
    this.flush();
  }
}

/** @param {string} _name @param {string} path */
export async function createAsyncRotatingLogger(_name, path) {
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, '');
  return new Logger(path);
}

export function setFlushOn() {}
/** @param {number} level */
export function setLevel(level) {
  defaultLevel = level;
}
