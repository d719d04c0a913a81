/** @file The commands of package.json, without `deeptwist.`. */

export const commandNames = [
  'runExperiment',
  'runWithChangedValues',
  'rerun',
  'rerunFromCheckpoint',
  'resume',
  'pause',
  'continue',
  'stop',
  'observeNow',
  'checkpointNow',
  'openDashboard',
  'openDashboardToSide',
  'compareRuns',
  'openExperiment',
  'showLog',
  'copyCommandLine',
  'revealRunFolder',
  'deleteRun',
  'copyDiagnostics',
  'refreshRuns',
  'showMoreRuns',
  'filterRuns',
  'clearRunFilter',
  'sortRuns',
] as const;
export type CommandName = (typeof commandNames)[number];
