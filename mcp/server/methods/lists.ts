import { errorObject, INVALID_PARAMS } from '../../errors.ts';
import { viewOf } from '../catalog.ts';
import type { ListName } from '../pages.ts';
import { failed, type MethodHandler } from './outcome.ts';

/** `tools/list`, `resources/list`, `resources/templates/list`, `prompts/list` (server/utilities/pagination). */
export function listOf(list: ListName): MethodHandler {
  return ({ params, catalog, revision }) => {
    const page = viewOf(catalog, revision).pages[list].get(params['cursor'] as string | undefined);
    if (page !== undefined) return { kind: 'result', result: page };
    const error = errorObject(INVALID_PARAMS, 'params.cursor is of no list that there is now: begin without one');
    return failed(error, revision);
  };
}
