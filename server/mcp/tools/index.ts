/** @file The tools, in the order in which an agent most often needs them. To add one: its file here, its row below, its part of docs/agents.md. */
import type { AgentTool } from '../tool.ts';
import { checkExperiment } from './checkExperiment.ts';
import { compareRuns } from './compareRuns.ts';
import { describeModel } from './describeModel.ts';
import { evaluate } from './evaluate.ts';
import { exportModel } from './exportModel.ts';
import { followRun } from './followRun.ts';
import { followSweep } from './followSweep.ts';
import { listRuns } from './listRuns.ts';
import { listWorkspace } from './listWorkspace.ts';
import { measureSensitivity } from './measureSensitivity.ts';
import { resumeRun, startRun } from './startRun.ts';
import { startSearch } from './startSearch.ts';
import { startSweep } from './startSweep.ts';
import { stop } from './stop.ts';
import { writeExperiment } from './writeExperiment.ts';

export const tools: readonly AgentTool[] = [
  listWorkspace,
  describeModel,
  writeExperiment,
  checkExperiment,
  startRun,
  followRun,
  stop,
  resumeRun,
  listRuns,
  compareRuns,
  measureSensitivity,
  startSweep,
  startSearch,
  followSweep,
  exportModel,
  evaluate,
];
