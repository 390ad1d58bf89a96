/** A member of an error: its name, its value, and whether it is enumerable. */
export type ErrorMember = readonly [name: string, value: unknown, enumerable: boolean];

/** Members that every error has or may have, and that its class may define by getters. */
const usual = ['name', 'message', 'stack', 'code', 'cause', 'errors'];

/** What of an error is worth keeping: what is usual, if it has it, and all own enumerable members. */
export function errorMembers(error: Error): ErrorMember[] {
  const members: ErrorMember[] = [];
  const add = (name: string, enumerable: boolean): void => {
    try {
      members.push([name, (error as unknown as Record<string, unknown>)[name], enumerable]);
    } catch {
      // a getter of user code that throws hides one member, not the error
    }
  };
  const own = Object.keys(error);
  for (const name of usual) if (name in error && !own.includes(name)) add(name, false);
  for (const name of own) add(name, true);
  return members;
}
