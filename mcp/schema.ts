/** JSON Schemas to validators: inspected before, compiled by ajv when the first value comes, once per text. */

import { createRequire } from 'node:module';
import type { Ajv, Options, ValidateFunction } from 'ajv';
import { describeExcess, excessOf } from './json-bounds.ts';
import type { McpLimits } from './limits.ts';
import { STEP_KEYWORD } from './schema/compilable.ts';
import type { InspectedSchema } from './schema/inspect.ts';
import type { Dialect } from './schema/keywords.ts';
import { compilePattern } from './schema/pattern.ts';
import { describeProblems } from './schema/problems.ts';
import { allDistinct } from './schema/unique-items.ts';

/**
 * Undefined for a valid value, else the problems; each begins with the place in the value, whose root is called
 * `root`.
 */
export type Validator = (value: unknown, root: string) => readonly string[] | undefined;

/** Makes validators, one for each text. It keeps them: let it live as long as the servers it makes them for. */
export type SchemaCompiler = (inspected: InspectedSchema) => Validator;

/**
 * A compiler with these bounds. A schema is compiled when its first value comes, and ajv is loaded with the first
 * schema: 45 ms of CPU for ajv and 1 ms for each schema, which no start has to wait for. What has been inspected
 * compiles.
 */
export function schemaCompiler(limits: McpLimits): SchemaCompiler {
  const validators = new Map<string, Validator>();
  return (inspected) => {
    const known = validators.get(inspected.digest);
    if (known !== undefined) return known;
    const validator = validatorOf(inspected, limits);
    validators.set(inspected.digest, validator);
    return validator;
  };
}

function validatorOf(inspected: InspectedSchema, limits: McpLimits): Validator {
  const { valueDepthMax, valueNodesMax, refStepsMax, problemsMax } = limits;
  const steps = { left: 0 };
  let validate: ValidateFunction | undefined;
  return (value, root) => {
    const excess = excessOf(value, valueDepthMax, valueNodesMax);
    if (excess !== undefined) return [`${root}: ${describeExcess(excess, valueDepthMax, valueNodesMax)}`];
    validate ??= compile(inspected, steps, limits);
    steps.left = refStepsMax;
    try {
      return validate(value) ? undefined : describeProblems(validate.errors ?? [], root, problemsMax);
    } catch (error) {
      // Too many steps, or a chain of references as long as the stack is deep: what cannot be validated is not valid.
      return [`${root}: cannot be validated: ${reasonOf(error)}`];
    }
  };
}

/** What has been inspected compiles, short of a chain of references that is as long as the stack is deep. */
function compile(
  { dialect, compilable }: InspectedSchema,
  steps: { left: number },
  limits: McpLimits,
): ValidateFunction {
  try {
    return ajvFor(dialect, steps, limits).compile(compilable);
  } catch (error) {
    const refuse = (): boolean => {
      throw new Error(`its schema does not compile: ${reasonOf(error)}`);
    };
    return refuse as unknown as ValidateFunction;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One instance per schema: an instance keeps what it compiles, and two schemas may have the same `$id`. */
function ajvFor(dialect: Dialect, steps: { left: number }, { patternInputMax, refStepsMax }: McpLimits): Ajv {
  const options: Options = {
    allErrors: true,
    strict: false, // what it would find has been inspected
    validateSchema: false,
    meta: false,
    logger: false,
    // {} must not have a property `constructor`.
    ownProperties: true,
    // Copying what a reference leads to into each place that refers could make any amount of code.
    inlineRefs: false,
    code: { regExp: Object.assign((source: string) => compilePattern(source, patternInputMax), { code: '' }) },
  };
  const ajv = new (loadAjv(dialect))(options);
  ajv.addKeyword({
    keyword: STEP_KEYWORD,
    before: '$ref',
    errors: false,
    validate: () => {
      steps.left -= 1;
      if (steps.left < 0) throw new Error(`it takes more than ${refStepsMax} steps`);
      return true;
    },
  });
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    errors: false,
    validate: (wanted: boolean, items: readonly unknown[]) => !wanted || allDistinct(items),
  });
  return ajv;
}

const require = createRequire(import.meta.url);

function loadAjv(dialect: Dialect): new (options: Options) => Ajv {
  return require(dialect === '2020-12' ? 'ajv/dist/2020.js' : 'ajv/dist/ajv.js').default;
}
