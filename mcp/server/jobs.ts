/** From work, which is plain data, to the code that does it. Pure. */

import { errorObject, INVALID_PARAMS } from '../errors.ts';
import type { McpLimits } from '../limits.ts';
import type { Revision } from '../revision/contract.ts';
import type { Catalog } from './catalog.ts';
import { completionJob } from './methods/completion-complete.ts';
import { describeWork, failed, type Job, type Refused, type Work } from './methods/outcome.ts';
import { promptJob } from './methods/prompts-get.ts';
import { readableAt, readJob } from './methods/resources-read.ts';
import { toolJob } from './methods/tools-call.ts';
import { handleRequest } from './methods.ts';
import type { WorkRequest } from './work-request.ts';

/** The method that asks for each kind of work. */
export const METHOD_OF: { readonly [kind in Work['kind']]: string } = {
  tool: 'tools/call',
  resource: 'resources/read',
  prompt: 'prompts/get',
  completion: 'completion/complete',
};

/**
 * The job, by the catalog as it is now. If it is another than the one that the request was looked at with, the request
 * is looked at again: a tool may have gone since, or take other arguments.
 */
export function findJob(
  { work, catalogVersion, granted }: Pick<WorkRequest, 'work' | 'catalogVersion' | 'granted'>,
  catalog: Catalog,
  revision: Revision,
  limits: McpLimits,
): Job | Refused {
  if (catalogVersion !== catalog.version && work.kind !== 'completion') {
    const params = work.kind === 'resource' ? { uri: work.name } : { name: work.name, arguments: work.args };
    const again = handleRequest({ method: METHOD_OF[work.kind], params }, catalog, revision, limits, {
      granted,
      headers: undefined,
    });
    if (again.kind === 'result' || again.kind === 'error') return again;
  }
  const job = jobOf(work, catalog, revision, limits);
  return job ?? failed(errorObject(INVALID_PARAMS, `there is no ${describeWork(work)} any more`), revision);
}

/** Undefined if the catalog does not have it. */
function jobOf(work: Work, catalog: Catalog, revision: Revision, limits: McpLimits): Job | undefined {
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
