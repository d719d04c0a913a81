/** @file Modules that make models: how an experiment names one, and which of its exports may be the model. */
import { isRecord } from '../record.ts';
import { hasEnding, moduleEndings } from './modelEndings.ts';

/** The function that is the model's maker whatever else a module exports. */
export const CREATE_MODEL = 'createModel';

/** Exports that mean something else: of a model's module, of a data set, of a distortion. */
const OTHERS = new Set(['loss', 'metrics', 'train', 'test', 'validation', 'samples', 'distort']);

/** True for a name that may be that of a model, or of a function that returns one. */
export function isModelName(name: string): boolean {
  return !OTHERS.has(name);
}

/**
 * The module that an experiment's `model` names, as the setting has it.
 * @param model the setting, which may be wrong
 * @returns undefined for a model of another kind
 */
export function moduleOf(model: unknown): string | undefined {
  const path = isRecord(model) ? model.module : model;
  return typeof path === 'string' && hasEnding(path, moduleEndings) ? path : undefined;
}
