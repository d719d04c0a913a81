/** @file What a module exports that is its model, or makes it. */
import * as tf from '@tensorflow/tfjs';
import type { UserModule } from '../modules/userModule.ts';
import { CREATE_MODEL, isModelName } from '../protocol/model/modelExports.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { UserError } from '../protocol/userError.ts';

export interface ModelExport {
  /** A function that returns the model, or the model. */
  readonly made: unknown;
  /** What messages call it: `createModel()`. */
  readonly called: string;
}

/**
 * The export of the name that is given; else `createModel`, else the default one, else the only function or model that is exported.
 * @param name in the experiment's `model.export`
 * @throws SettingError for a name that is not exported, UserError where no export or several may be meant
 */
export function modelExport({ path, exports }: UserModule, name?: string): ModelExport {
  const names = Object.keys(exports);
  if (name !== undefined) {
    if (Object.hasOwn(exports, name) && makesModel(exports[name])) return of(name, exports[name]);
    const found = Object.hasOwn(exports, name) ? 'is neither a function nor a model' : 'is not exported';
    throw new SettingError(['model', 'export'], `${name} ${found}; ${path} exports ${names.join(', ') || 'nothing'}`, {
      remedy: 'Name what returns the model.',
    });
  }
  if (CREATE_MODEL in exports) {
    if (typeof exports[CREATE_MODEL] === 'function') return of(CREATE_MODEL, exports[CREATE_MODEL]);
    throw none(path, names, `exports '${CREATE_MODEL}', which is not a function`);
  }
  if (makesModel(exports.default)) return of('default', exports.default);
  const others = names.filter((one) => isModelName(one) && makesModel(exports[one])).sort();
  if (others.length === 1) return of(others[0], exports[others[0]]);
  if (others.length === 0) throw none(path, names, 'exports no model');
  throw new UserError(
    `${path} exports several functions, and does not say which makes the model: ${others.join(', ')}.`,
    {
      remedy: `Name it, "model": { "module": "…", "export": "${others[0]}" }, or call it ${CREATE_MODEL}.`,
    },
  );
}

function of(name: string, made: unknown): ModelExport {
  const shown = name === 'default' ? 'the default export' : name;
  return { made, called: typeof made !== 'function' ? shown : name === 'default' ? `${shown}, called,` : `${name}()` };
}

function makesModel(value: unknown): boolean {
  return typeof value === 'function' || value instanceof tf.LayersModel;
}

function none(path: string, names: readonly string[], found: string): UserError {
  return new UserError(`${path} ${found}. It exports: ${names.join(', ') || 'nothing'}.`, {
    remedy: `Export a function that returns the model: export function ${CREATE_MODEL}() { … }`,
  });
}
