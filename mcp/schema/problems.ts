/** The errors of a validation in words: each names the place in the value and what is expected there. */

import type { ErrorObject } from 'ajv';
import { quoted } from '../errors.ts';

const expectedLength = 200;

/** At most `problemsMax` problems, and a line for how many there are besides. */
export function describeProblems(errors: readonly ErrorObject[], root: string, problemsMax: number): string[] {
  const shown = [...new Set(errors.slice(0, problemsMax).map((error) => describe(error, root)))];
  const more = errors.length - problemsMax;
  return more > 0 ? [...shown, `… and ${more} more`] : shown;
}

function describe(error: ErrorObject, root: string): string {
  return `${placeOf(error.instancePath, root)}: ${expectation(error)}`;
}

function expectation({ keyword, params, message }: ErrorObject): string {
  switch (keyword) {
    case 'required':
      return `missing property ${quoted(params['missingProperty'])}`;
    case 'dependentRequired':
    case 'dependencies':
      return `missing property ${quoted(params['missingProperty'])}, which ${quoted(params['property'])} requires`;
    case 'additionalProperties':
      return `unknown property ${quoted(params['additionalProperty'])}`;
    case 'unevaluatedProperties':
      return `unknown property ${quoted(params['unevaluatedProperty'])}`;
    case 'propertyNames':
      return `property name ${quoted(params['propertyName'])} is not allowed`;
    case 'enum':
      return `must be one of ${listed(params['allowedValues'])}`;
    case 'const':
      return `must be ${clipped(JSON.stringify(params['allowedValue']))}`;
    case 'type':
      return `must be ${[params['type']].flat().join(' or ')}`;
    case 'uniqueItems':
      return 'must not have two equal items';
    case 'false schema':
      return 'is not allowed';
    default:
      return clipped(message ?? `does not satisfy ${keyword}`);
  }
}

function listed(values: readonly unknown[]): string {
  return clipped(values.map((value) => JSON.stringify(value)).join(', '));
}

function clipped(text: string): string {
  return text.length > expectedLength ? `${text.slice(0, expectedLength)}…` : text;
}

/** `/items/0/name` as `arguments.items[0].name`. */
function placeOf(instancePath: string, root: string): string {
  if (instancePath === '') return root;
  const parts = instancePath.slice(1).split('/').map(part);
  return clipped(`${root}${parts.join('')}`);
}

function part(text: string): string {
  if (/^\d+$/.test(text)) return `[${text}]`;
  const key = text.replaceAll('~1', '/').replaceAll('~0', '~');
  return /^[A-Za-z_$][\w$-]*$/.test(key) ? `.${key}` : `[${quoted(key)}]`;
}
