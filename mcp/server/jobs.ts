/** From work, which is plain data, to the code that does it. Pure. */

import type { McpLimits } from '../limits.ts';
import type { Revision } from '../revision/contract.ts';
import type { Catalog } from './catalog.ts';
import { completionJob } from './methods/completion-complete.ts';
import type { Job, Work } from './methods/outcome.ts';
import { promptJob } from './methods/prompts-get.ts';
import { readableAt, readJob } from './methods/resources-read.ts';
import { toolJob } from './methods/tools-call.ts';

/** The method that asks for each kind of work. */
export const METHOD_OF: { readonly [kind in Work['kind']]: string } = {
  tool: 'tools/call',
  resource: 'resources/read',
  prompt: 'prompts/get',
  completion: 'completion/complete',
};

/** Undefined if the catalog does not have it. */
export function jobOf(work: Work, catalog: Catalog, revision: Revision, limits: McpLimits): Job | undefined {
  switch (work.kind) {
    case 'tool': {
      const tool = catalog.tools.get(work.name);
      return tool && toolJob(tool, work.args, catalog, revision, limits);
    }
    case 'resource': {
      const readable = readableAt(catalog, work.name, limits);
      return readable && readJob(readable, work.name, catalog, revision, limits);
    }
    case 'prompt': {
      const prompt = catalog.prompts.get(work.name);
      return prompt && promptJob(prompt, work.args, catalog, revision, limits);
    }
    case 'completion':
      return completionJob(work, catalog, revision);
  }
}
