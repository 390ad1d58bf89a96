import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseUriTemplate, type UriTemplate } from '../../mcp/uri-template.ts';

function template(text: string): UriTemplate {
  const parsed = parseUriTemplate(text);
  assert.ok(!('problem' in parsed), JSON.stringify(parsed));
  return parsed;
}

const lengthMax = 10_000;

test('a URI gives the values of the variables, decoded', () => {
  const cases: readonly [string, string, object | undefined][] = [
    ['a://{x}', 'a://1', { x: '1' }],
    ['a://{x}', 'a://1/2', undefined],
    ['a://{x}', 'a://', undefined],
    ['a://{x}/d', 'a://1%2F2/d', { x: '1/2' }],
    ['a://{x}/d', 'a://%/d', undefined],
    ['a://{x}-{y}', 'a://1-2-3', { x: '1-2', y: '3' }],
    ['a://{+x}-{y}', 'a://p-q/z-w', { x: 'p-q/z', y: 'w' }],
    ['a://{+x}', 'a://b/c?d#e', { x: 'b/c?d#e' }],
    ['a:/{/x}{/y}', 'a://1/2', { x: '1', y: '2' }],
    ['a:b{.x}', 'a:b.txt', { x: 'txt' }],
    ['a:b{#x}', 'a:b#c', { x: 'c' }],
    ['a:b{?x,y}', 'a:b', {}],
    ['a:b{?x,y}', 'a:b?y=2', { y: '2' }],
    ['a:b{?x,y}', 'a:b?x=1&y=', { x: '1', y: '' }],
    ['a:b{?x}', 'a:b?z=1', undefined],
    ['a:b{?x}', 'a:b?x=1&x=2', undefined],
    ['a:b?q=1{&x}', 'a:b?q=1&x=2', { x: '2' }],
    ['a:b?q=1{&x}', 'a:b?q=1', {}],
    ['a:(.*)+[b]{x}', 'a:(.*)+[b]c', { x: 'c' }],
    ['a:(.*)+[b]{x}', 'a:zzb+bc', undefined],
    ['a:{constructor}', 'a:1', { constructor: '1' }],
  ];
  for (const [text, uri, values] of cases) {
    const found = template(text).match(uri, lengthMax);
    assert.deepEqual(found, values, `${text} ${uri}`);
  }
});

test('a template that cannot be read says what is wrong with it', () => {
  const cases: readonly [string, RegExp][] = [
    ['a://b', /no variable/],
    ['a://{x', /without its }/],
    ['a://x}', /without its {/],
    ['a://{}', /must name variables/],
    ['a://{x*}', /must name variables/],
    ['a://{x:3}', /must name variables/],
    ['a://{a b}', /must name variables/],
    ['a://{x,y}', /several variables/],
    ['a://{;x}', /operator that is not read/],
    ['a://{x}{y}', /put a text between/],
    ['a://{x}{+y}', /put a text between/],
    ['a://{x}/{x}', /variable x twice/],
    ['a://{x}{?x}', /variable x twice/],
  ];
  for (const [text, message] of cases) {
    const parsed = parseUriTemplate(text);
    assert.ok('problem' in parsed, text);
    assert.match(parsed.problem, message, text);
  }
});

test('any text can be parsed, and any URI matched, without a throw', () => {
  const piece = fc.constantFrom('a://', '{x}', '{+y}', '{/z}', '{?p,q}', '{', '}', '/', '-', '(', '\\', '?', 'é');
  fc.assert(
    fc.property(fc.array(piece), fc.string(), (pieces, uri) => {
      const parsed = parseUriTemplate(pieces.join(''));
      if ('problem' in parsed) assert.ok(parsed.problem !== '');
      else parsed.match(uri, lengthMax);
    }),
  );
});

test('what a simple expansion makes is matched by its template', () => {
  const value = fc.string({ minLength: 1 }).filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(value, value, (x, y) => {
      const uri = `a://${encodeURIComponent(x)}/${encodeURIComponent(y)}`;
      assert.deepEqual({ ...template('a://{x}/{y}').match(uri, lengthMax) }, { x, y });
    }),
  );
});

test('a long URI that almost matches costs no more than its length', () => {
  const hard = template('a:{+a}x{+b}x{+c}x{+d}y');
  assert.equal(hard.match(`a:${'x'.repeat(lengthMax - 3)}`, lengthMax), undefined);
  assert.equal(hard.match(`a:${'x'.repeat(lengthMax)}y`, lengthMax), undefined, 'longer ones are not looked at');
});
