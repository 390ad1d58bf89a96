import type { JsonObject } from '../../json-rpc.ts';
import type { MethodHandler, TaskAccess } from './outcome.ts';

/** `tasks/get`, `tasks/update`, `tasks/cancel` (extension io.modelcontextprotocol/tasks); the tasks are in a table. */
export function taskMethod(method: TaskAccess['method']): MethodHandler {
  return ({ params }) => {
    const { taskId, inputResponses = {} } = params as { readonly taskId: string; readonly inputResponses?: JsonObject };
    return { kind: 'task', access: { method, id: taskId, responses: inputResponses } };
  };
}
