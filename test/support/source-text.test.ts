import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSources } from './repository.ts';
import { codeOnly, references } from './source-text.ts';

test('comments and the insides of strings become spaces', () => {
  const cases: readonly (readonly [string, string])[] = [
    ["f('a{b'); // c", "f('   ');     "],
    ['/* x\ny */ g()', '    \n     g()'],
    ["'it\\'s' + \"q\\\\\"", '\'     \' + "   "'],
    [['`a', '{ b({ c: `d` }) }e`'].join('$'), ['` ', '{ b({ c: ` ` }) } `'].join('$')],
    ['x = /[/"]{2}/g.test(y)', 'x =          g.test(y)'],
    ['a / b / c', 'a / b / c'],
  ];
  for (const [source, expected] of cases) assert.equal(codeOnly(source), expected);
});

test('every source of the repository keeps its length, its lines and its brackets', () => {
  for (const { path, text } of readSources('.ts')) {
    const code = codeOnly(text);
    assert.equal(code.length, text.length, path);
    assert.equal(code.split('\n').length, text.split('\n').length, path);
    for (const [open, close] of ['()', '[]', '{}']) {
      assert.equal(code.split(open!).length, code.split(close!).length, `${path}: unbalanced ${open}${close}`);
    }
  }
});

test('references are found in code, not in comments or strings', () => {
  const text = [
    "import a, { type B } from './a.ts';",
    "export { c } from './c.ts';",
    "import './d.ts';",
    "const e = await import('./e.ts');",
    "const f = new URL('./f.js', import.meta.url);",
    "// import g from './g.ts';",
    'const h = "import h from \'./h.ts\';";',
  ].join('\n');
  assert.deepEqual(
    references(text).map(({ specifier, line }) => `${line} ${specifier}`),
    ['1 ./a.ts', '2 ./c.ts', '3 ./d.ts', '4 ./e.ts', '5 ./f.js'],
  );
});
