import { errorObject, INVALID_PARAMS } from '../../errors.ts';
import { viewOf } from '../catalog.ts';
import { failed, type MethodHandler } from './outcome.ts';

/** `tools/list` (server/tools, Listing Tools). */
export const toolsList: MethodHandler = ({ params, catalog, revision }) => {
  const page = viewOf(catalog, revision).toolPages.get(params['cursor'] as string | undefined);
  if (page !== undefined) return { kind: 'result', result: page };
  return failed(
    errorObject(INVALID_PARAMS, 'params.cursor is of no list that there is now: begin without one'),
    revision,
  );
};
