import type { JsonObject } from '../../json-rpc.ts';
import type { MethodHandler } from './outcome.ts';

/**
 * `tasks/get`, `tasks/update`, `tasks/cancel` (extension io.modelcontextprotocol/tasks), `tasks/result` (2025-11-25);
 * the tasks are in a table.
 */
export function taskMethod(method: 'get' | 'update' | 'cancel' | 'result'): MethodHandler {
  return ({ params }) => {
    const { taskId, inputResponses = {} } = params as { readonly taskId: string; readonly inputResponses?: JsonObject };
    return { kind: 'task', access: { method, id: taskId, responses: inputResponses } };
  };
}

/** `tasks/list` (2025-11-25). */
export const tasksList: MethodHandler = ({ params }) => ({
  kind: 'task',
  access: { method: 'list', cursor: params['cursor'] as string | undefined },
});
