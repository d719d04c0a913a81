/** @file The names of the tools of the editor for agents. */

/** The tools of package.json. */
export const agentToolNames = [
  'deeptwist_experimentProblems',
  'deeptwist_openDashboard',
  'deeptwist_applyFromNextDistortion',
] as const;
export type AgentToolName = (typeof agentToolNames)[number];
