import type { Action, Result, Scenario } from './scenario.ts';

/** A scenario as `statem_oracle.erl` reads it: a map, ended by a full stop. */
export function erlangTerm({ id, enter, init, events, enters, messages, endMs }: Scenario): string {
  const list = (parts: readonly string[]): string => `[${parts.join(',')}]`;
  const plans = (plan: Readonly<Record<string, readonly Result[]>>): string =>
    `#{${Object.entries(plan).map(([key, results]) => `${key} => ${list(results.map(resultTerm))}`)}}`;
  return [
    `#{id => "${id}", enter => ${enter}, endMs => ${endMs},`,
    ` init => #{state => ${init.state}, data => ${init.data}, actions => ${list(init.actions.map(actionTerm))}},`,
    ` events => ${plans(events)},`,
    ` enters => ${plans(enters)},`,
    ` messages => ${list(messages.map(({ type, event }) => `{${type},${event}}`))}}.\n`,
  ].join('\n');
}

function resultTerm({ kind, state, data, actions }: Result): string {
  return `{${kind},${state},${data},[${actions.map(actionTerm).join(',')}]}`;
}

function actionTerm(action: Action): string {
  if (action.do === 'reply') return `{reply,${action.call}}`;
  if (action.do === 'next_event') return `{next_event,${typeTerm(action.type)},${action.event}}`;
  if (action.do !== 'set') return action.do;
  return `{set,${typeTerm(action.timeout)},${action.time},${action.event},${action.abs}}`;
}

/** `timeout:x` is the tuple of a generic time-out. */
function typeTerm(type: string): string {
  const [event, name] = type.split(':');
  return name === undefined ? type : `{${event},${name}}`;
}
