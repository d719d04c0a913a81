/** @file What agents of the editor get of DeepTwist: the server of agents, and tools for what needs the editor. All of it is loaded when it is used. */
import { lm, type LanguageModelTool } from 'vscode';
import { Disposable } from '../dispose.ts';
import type { Services } from '../services.ts';
import type { AgentTools } from './agentTools.ts';
import { ServerDefinitions } from './serverDefinition.ts';
import { agentToolNames, type AgentToolName } from './toolNames.ts';

export class Agents extends Disposable {
  readonly #services: Services;
  #tools: Promise<AgentTools> | undefined;

  constructor(services: Services) {
    super();
    this.#services = services;
    this.register(new ServerDefinitions(services.context));
    for (const name of agentToolNames) this.register(lm.registerTool(name, this.#lazy(name)));
  }

  #lazy(name: AgentToolName): LanguageModelTool<unknown> {
    return {
      prepareInvocation: async ({ input }) => (await this.#load())[name].prepare(input),
      invoke: async ({ input }) => (await this.#load()).answer(name, input),
    };
  }

  #load(): Promise<AgentTools> {
    return (this.#tools ??= import('./agentTools.ts').then(({ AgentTools }) => new AgentTools(this.#services)));
  }
}
