/** @file What agents can read: the pages of the documentation, the JSON schema of experiment files, and runs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ResourceTemplate, type McpServer } from '@modelcontextprotocol/server';
import { experimentJsonSchema } from '../protocol/experiment/experimentJsonSchema.ts';
import { readExportedFiles } from '../runs/exportedFiles.ts';
import type { Run } from '../runs/run.ts';
import { readBeginningSync } from '../runs/workspaceFile.ts';
import type { Session } from './session.ts';
import { NeedsInput } from './tool.ts';

/** Runs that are listed: the newest. */
const LISTED = 50;
/** Characters of the experiment in a run's resource. */
const MOST_TEXT = 20_000;
/** A page begins with its title: to list the pages, no more is read of each. */
const HEADING_BYTES = 256;

/** @param docs folder with the pages of the documentation */
export function registerResources(server: McpServer, session: Session, docs: string): void {
  for (const { name, title, text } of pages(docs))
    server.registerResource(
      name,
      `deeptwist://docs/${name}`,
      { title, description: `Documentation: ${title}`, mimeType: 'text/markdown' },
      ({ href }) => ({ contents: [{ uri: href, mimeType: 'text/markdown', text: text() }] }),
    );
  server.registerResource(
    'experiment-schema',
    'deeptwist://schema/experiment',
    {
      title: 'JSON schema of experiment files',
      description: 'Every setting with its type, default and meaning.',
      mimeType: 'application/schema+json',
    },
    ({ href }) => ({
      contents: [{ uri: href, mimeType: 'application/schema+json', text: JSON.stringify(experimentJsonSchema()) }],
    }),
  );
  server.registerResource(
    'run',
    new ResourceTemplate('deeptwist://runs/{id}', {
      list: async (context) => {
        const { runs } = await session.workspace(context).listRuns().catch(nothing);
        return {
          resources: runs
            .slice(-LISTED)
            .reverse()
            .map((run) => ({
              uri: `deeptwist://runs/${encodeURIComponent(run.id)}`,
              name: run.id,
              title: `${run.record.name}, ${run.observedState()}`,
              mimeType: 'application/json',
            })),
        };
      },
    }),
    {
      title: 'A run',
      description: 'State, settings, result and exported files of a run; the experiment as it was.',
      mimeType: 'application/json',
    },
    async ({ href }, { id }, context) => {
      try {
        const run = await session.workspace(context).findRun(decodeURIComponent(String(id)));
        const text = JSON.stringify(await contentOf(run), null, 2);
        return { contents: [{ uri: href, mimeType: 'application/json', text }] };
      } catch (error) {
        if (error instanceof NeedsInput) return error.result;
        throw error;
      }
    },
  );
}

function nothing(error: unknown) {
  // A list cannot ask the client for its folders; a call of a tool does.
  if (error instanceof NeedsInput) return { runs: [] };
  throw error;
}

async function contentOf(run: Run) {
  const { name, experiment, overrides, created, updated, result, failure, changes, sweep } = run.record;
  const text = await run.experimentText();
  return {
    id: run.id,
    state: run.observedState(),
    experiment,
    name,
    overrides,
    created,
    updated,
    result,
    failure,
    changes,
    sweep,
    exports: (await readExportedFiles(run)).map(({ format, path, bytes, denseBytes, metric, value, isThere }) => ({
      format,
      path,
      bytes,
      denseBytes,
      metric,
      value,
      isThere,
    })),
    text: text.slice(0, MOST_TEXT),
    ...(text.length > MOST_TEXT && { textIsCut: true }),
  };
}

/** The pages, each with its first heading. */
function pages(folder: string) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((file) => {
      const path = join(folder, file);
      const name = file.slice(0, -'.md'.length);
      const title = /^# (.+)$/m.exec(readBeginningSync(path, HEADING_BYTES))?.[1] ?? name;
      return { name, title, text: () => readFileSync(path, 'utf8') };
    });
}
