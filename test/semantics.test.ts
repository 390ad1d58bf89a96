/**
 * Every guarantee in docs/semantics.md names the tests that prove it, every case in docs/otp-coverage.md the tests that
 * cover it. This checks that they exist.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { has, readText } from './support/repository.ts';

interface Proof {
  readonly line: number;
  readonly file: string;
  readonly test: string;
}

/** Which tables of a page name tests: how many columns they have, and which of them does. */
interface Layout {
  readonly columns: number;
  readonly heading: string;
  readonly tests: number;
  /** Whether a row may do without a test and say why. */
  readonly reasons: boolean;
}

const guarantees: Layout = { columns: 3, heading: 'guarantee', tests: 3, reasons: false };
const cases: Layout = { columns: 2, heading: 'case', tests: 2, reasons: true };

/** The proofs that a page names, and what is wrong with its tables. */
function read(
  markdown: string,
  { columns, heading, tests, reasons }: Layout,
): { readonly proofs: Proof[]; readonly findings: string[] } {
  const proofs: Proof[] = [];
  const findings: string[] = [];
  for (const [index, text] of markdown.split('\n').entries()) {
    const cells = text.split('|').map((cell) => cell.trim());
    if (cells.length !== columns + 2 || cells[1] === heading || /^-+$/.test(cells[1] ?? '')) continue;
    const line = index + 1;
    let file: string | undefined;
    let named = 0;
    for (const [, path, name] of (cells[tests] ?? '').matchAll(/`([\w/.-]+\.test\.ts)`|"([^"]+)"/g)) {
      if (path !== undefined) file = path.replace(/^T\//, 'test/runtime/');
      if (name === undefined) continue;
      if (file === undefined) findings.push(`line ${line} names a test before its file`);
      else proofs.push({ line, file, test: name });
      named++;
    }
    const needed = reasons ? cells[tests] === '' || file !== undefined : true;
    if (named === 0 && needed) findings.push(`line ${line} names no test: ${cells[1]}`);
  }
  return { proofs, findings };
}

/** The names of the tests in a source, as they are written: `${…}` stays what it is. */
function testNames(source: string): Set<string> {
  return new Set([...source.matchAll(/\btest\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs)].map(([, , name]) => name ?? ''));
}

/** What is wrong with the proofs of a page, given the tests of each file; undefined for a file that is not there. */
function check(markdown: string, layout: Layout, testsOf: (file: string) => ReadonlySet<string> | undefined): string[] {
  const { proofs, findings } = read(markdown, layout);
  for (const { line, file, test: name } of proofs) {
    const tests = testsOf(file);
    if (tests === undefined) findings.push(`line ${line}: there is no ${file}`);
    else if (!tests.has(name)) findings.push(`line ${line}: ${file} has no test "${name}"`);
  }
  return findings;
}

test('a page that names a missing test, file or proof is found out', () => {
  const rows = [
    '| guarantee | as in | proved by |',
    '|---|---|---|',
    `| good | ours | \`T/a.test.ts\` "one"; "two \${n}" |`,
    '| misspelled | ours | `T/a.test.ts` "three" |',
    '| no such file | ours | `test/b.test.ts` "one" |',
    '| no proof | ours | |',
    '| no file | ours | "one" |',
  ];
  const source = `test('one', () => {});\ntest(\n  \`two \${n}\`,\n  () => {},\n);\nlatest('three');`;
  const testsOf = (file: string): Set<string> | undefined =>
    file === 'test/runtime/a.test.ts' ? testNames(source) : undefined;
  assert.deepEqual(
    check(rows.join('\n'), guarantees, testsOf).sort(),
    [
      'line 4: test/runtime/a.test.ts has no test "three"',
      'line 5: there is no test/b.test.ts',
      'line 6 names no test: no proof',
      'line 7 names a test before its file',
    ].sort(),
  );
});

test('a case without a test needs a reason', () => {
  const rows = [
    '| case | covered by, or why not |',
    '|---|---|',
    '| covered | `T/a.test.ts` "one"; and a word |',
    '| explained | one node |',
    '| silent | |',
    '| half | `T/a.test.ts` |',
    '| misspelled | `T/a.test.ts` "two" |',
  ];
  assert.deepEqual(
    check(rows.join('\n'), cases, () => new Set(['one'])).map((finding) => finding.split(':')[0]),
    ['line 5 names no test', 'line 6 names no test', 'line 7'],
  );
});

const sources = new Map<string, Set<string> | undefined>();
function testsOf(file: string): Set<string> | undefined {
  if (!sources.has(file)) sources.set(file, has(file) ? testNames(readText(file)) : undefined);
  return sources.get(file);
}

for (const [page, layout, least] of [
  ['docs/semantics.md', guarantees, 400],
  ['docs/otp-coverage.md', cases, 250],
] as const) {
  test(`every test that ${page} names exists`, () => {
    const text = readText(page);
    const { proofs } = read(text, layout);
    assert.ok(proofs.length > least, `only ${proofs.length} proofs were read`);
    const findings = check(text, layout, testsOf);
    assert.ok(findings.length === 0, `\n${findings.join('\n')}`);
  });
}
