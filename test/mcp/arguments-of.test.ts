import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ArgumentsOf } from '../../mcp/arguments-of.ts';
import { text } from '../../mcp/content.ts';
import { tool } from '../../mcp/tool.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Does not compile unless the two types are the same. */
function same<A, B>(_is: Same<A, B>): void {}

test('the compiler knows the arguments of a tool from its schema', () => {
  tool(
    {
      description: 'd',
      input: {
        type: 'object',
        properties: {
          by: { type: 'number' },
          unit: { enum: ['m', 'ft'] },
          tags: { type: 'array', items: { type: 'string' } },
          at: { type: 'object', properties: { x: { type: 'integer' } }, required: ['x'] },
          free: {},
        },
        required: ['by', 'at'],
      },
    },
    (args) => {
      same<typeof args.by, number>(true);
      same<typeof args.unit, 'm' | 'ft' | undefined>(true);
      same<typeof args.tags, readonly string[] | undefined>(true);
      same<typeof args.at.x, number>(true);
      // @ts-expect-error a property that the schema does not have
      args.other;
      // @ts-expect-error optional
      args.tags.length;
      return text('');
    },
  );
  // A schema whose types are not literals tells nothing: the tool says itself what it expects.
  const widened = { type: 'object', properties: { by: { type: 'number' } } };
  const untyped = tool({ description: 'd', input: widened }, (args: { by: number }) => text(String(args.by)));
  same<ArgumentsOf<typeof widened>, any>(true);
  assert.equal(typeof untyped.run, 'function');
  // @ts-expect-error run must return a result
  assert.throws(() => tool({ description: 'd', input: { type: 'object' } }, 'no'), /run must be a function/);
});
