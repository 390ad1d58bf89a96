import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { elicit, elicitUrl, listRoots, sample } from '../../../mcp/input.ts';
import { capabilityProblem, readAnswer } from '../../../mcp/server/input-answer.ts';

const say = { role: 'user', content: { type: 'text', text: 'x' } } as const;
const form = elicit({
  message: 'm',
  schema: {
    type: 'object',
    properties: {
      text: { type: 'string', minLength: 2, maxLength: 3 },
      whole: { type: 'integer', minimum: 0, maximum: 9 },
      real: { type: 'number' },
      yes: { type: 'boolean' },
      one: { type: 'string', enum: ['a', 'b'] },
      titled: { type: 'string', oneOf: [{ const: 'c', title: 'C' }] },
      some: { type: 'array', items: { type: 'string', enum: ['a', 'b'] }, maxItems: 2 },
      titledSome: { type: 'array', items: { anyOf: [{ const: 'c', title: 'C' }] }, minItems: 1 },
    },
    required: ['text'],
  },
});

const problem = (content: object): string | undefined => {
  const read = readAnswer(form, { action: 'accept', content });
  return 'problem' in read ? read.problem : undefined;
};

test('a form that was filled in is checked field by field; what was not asked for is left out', () => {
  const good = {
    text: 'ab',
    whole: 3,
    real: 0.5,
    yes: false,
    one: 'b',
    titled: 'c',
    some: ['a', 'b'],
    titledSome: ['c'],
  };
  assert.deepEqual(readAnswer(form, { action: 'accept', content: { ...good, stranger: 1 } }), {
    answer: { action: 'accept', content: good },
  });
  const wrong: readonly [object, RegExp][] = [
    [{}, /must have content.text/],
    [{ text: 5 }, /content.text must be a string/],
    [{ text: 'a' }, /minLength 2/],
    [{ text: 'abcd' }, /maxLength 3/],
    [{ text: 'ab', whole: 1.5 }, /content.whole must be an integer/],
    [{ text: 'ab', whole: -1 }, /minimum 0/],
    [{ text: 'ab', whole: 10 }, /maximum 9/],
    [{ text: 'ab', real: '1' }, /content.real must be a number/],
    [{ text: 'ab', yes: 1 }, /content.yes must be true or false/],
    [{ text: 'ab', one: 'c' }, /content.one must be one of the choices/],
    [{ text: 'ab', titled: 'a' }, /content.titled must be one of the choices/],
    [{ text: 'ab', some: 'a' }, /content.some must be an array/],
    [{ text: 'ab', some: ['c'] }, /offered choices only/],
    [{ text: 'ab', some: ['a', 'b', 'a'] }, /maxItems 2/],
    [{ text: 'ab', titledSome: [] }, /minItems 1/],
  ];
  for (const [content, message] of wrong) assert.match(problem(content) ?? '', message);
});

test('no answer of a client makes the reading of it fail', () => {
  const questions = [
    form,
    elicitUrl({ message: 'm', url: 'a://b' }),
    listRoots(),
    sample({ messages: [say], maxTokens: 1 }),
  ];
  const member = fc.constantFrom('action', 'content', 'roots', 'role', 'model', 'text', 'some', '__proto__');
  const value = fc.oneof(fc.constantFrom<unknown>('accept', 'user', {}, [], { type: 'text' }), fc.jsonValue());
  fc.assert(
    fc.property(fc.constantFrom(...questions), fc.oneof(fc.dictionary(member, value), value), (question, answer) => {
      const read = readAnswer(question, answer);
      assert.ok('answer' in read || read.problem !== '');
    }),
  );
});

test('what a client must have declared depends on the question', () => {
  const url = elicitUrl({ message: 'm', url: 'a://b' });
  const tools = sample({ messages: [say], maxTokens: 1, tools: [{}] });
  const plain = sample({ messages: [say], maxTokens: 1 });
  const declared: readonly [typeof form | typeof url | typeof plain, object, boolean][] = [
    [form, { elicitation: {} }, true],
    [form, { elicitation: { form: {} } }, true],
    [form, { elicitation: { url: {} } }, false],
    [url, { elicitation: {} }, false],
    [url, { elicitation: { form: {}, url: {} } }, true],
    [plain, { sampling: {} }, true],
    [tools, { sampling: {} }, false],
    [tools, { sampling: { tools: {} } }, true],
    [form, JSON.parse('{"__proto__":{"elicitation":{}}}'), false],
  ];
  for (const [question, capabilities, can] of declared) {
    const found = capabilityProblem(question, capabilities as never);
    assert.equal(found === undefined, can, JSON.stringify([question.method, capabilities]));
  }
});

test('a question that no client could show is refused where it is built', () => {
  const schema = { type: 'object', properties: { a: { type: 'object' } } };
  assert.throws(() => elicit({ message: 'm', schema }), { name: 'TypeError', message: /a must have a type of string/ });
  for (const bad of [undefined, {}, { type: 'array' }, { type: 'object' }]) {
    assert.throws(
      () => elicit({ message: 'm', schema: bad as never }),
      /schema must have type 'object' and properties/,
    );
  }
  assert.throws(() => elicit({ message: 5 as never, schema }), /message must be a string/);
  assert.throws(() => elicitUrl({ message: 'm', url: 'no url' }), /url must be an absolute URL/);
  assert.throws(() => sample({ messages: [], maxTokens: 1 }), /messages must not be empty/);
  assert.throws(() => sample({ messages: [say], maxTokens: 0.5 }), /maxTokens must be a whole number/);
});
