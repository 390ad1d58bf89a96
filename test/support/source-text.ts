/**
 * Reads TypeScript just well enough for the tidy rules: blanks out comments and the contents of strings, and finds
 * what a file imports. Every blanked character becomes a space, so lines and columns stay where they were.
 */

/** A place where a regular expression may start: after an operator, a bracket, a comma or one of a few words. */
const beforeRegExp = /(?:^|[=([{,;:!&|?+\-*%<>~^]|\b(?:return|typeof|case|of|in|do|else|void|yield|await))\s*$/;

/** Source text without comments, and without the insides of strings unless `keepStrings`. */
export function codeOnly(text: string, keepStrings = false): string {
  let out = '';
  let at = 0;
  // The braces open inside each `${ }` we are in; a template literal continues when its own brace closes.
  const templateDepths: number[] = [];

  const blank = (until: number): void => {
    out += text.slice(at, until).replace(/[^\n]/g, ' ');
    at = until;
  };
  const copy = (until: number): void => {
    out += text.slice(at, until);
    at = until;
  };
  const stringBody = (until: number): void => (keepStrings ? copy(until) : blank(until));

  while (at < text.length) {
    const char = text[at]!;
    const next = text[at + 1];
    if (char === '/' && next === '/') {
      blank(endOf(text, at, '\n'));
    } else if (char === '/' && next === '*') {
      const end = text.indexOf('*/', at + 2);
      blank(end === -1 ? text.length : end + 2);
    } else if (char === "'" || char === '"') {
      const end = endOfString(text, at);
      copy(at + 1);
      stringBody(end - 1);
      copy(end);
    } else if (char === '`') {
      copy(at + 1);
      templatePart();
    } else if (char === '}' && templateDepths.at(-1) === 0) {
      templateDepths.pop();
      copy(at + 1);
      templatePart();
    } else if (char === '/' && beforeRegExp.test(out.slice(-40))) {
      blank(endOfRegExp(text, at));
    } else {
      const top = templateDepths.length - 1;
      if (top >= 0 && char === '{') templateDepths[top]! += 1;
      if (top >= 0 && char === '}') templateDepths[top]! -= 1;
      copy(at + 1);
    }
  }
  return out;

  /** From inside a template literal to its end, or to the next `${`. */
  function templatePart(): void {
    let end = at;
    while (end < text.length && text[end] !== '`' && !(text[end] === '$' && text[end + 1] === '{')) {
      end += text[end] === '\\' ? 2 : 1;
    }
    stringBody(Math.min(end, text.length));
    if (text[at] === '$') {
      templateDepths.push(0);
      copy(at + 2);
    } else {
      copy(Math.min(at + 1, text.length));
    }
  }
}

function endOf(text: string, from: number, mark: string): number {
  const end = text.indexOf(mark, from);
  return end === -1 ? text.length : end;
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== text[from] && text[at] !== '\n') at += text[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, text.length);
}

function endOfRegExp(text: string, from: number): number {
  let at = from + 1;
  let inClass = false;
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true;
    if (text[at] === ']') inClass = false;
    at += text[at] === '\\' ? 2 : 1;
  }
  return Math.min(at + 1, text.length);
}

/** What a file names of other files: imports, re-exports, `import()` and `new URL(…, import.meta.url)`. */
export interface Reference {
  readonly specifier: string;
  readonly line: number;
}

const referencePatterns: readonly RegExp[] = [
  /\b(?:import|export)\b[^;'"()]*?\bfrom\s*'([^'\n]+)'/g,
  /\bimport\s*'([^'\n]+)'/g,
  /\bimport\(\s*'([^'\n]+)'\s*\)/g,
  /\bnew URL\(\s*'([^'\n]+)'\s*,\s*import\.meta\.url/g,
];

export function references(text: string): Reference[] {
  const code = codeOnly(text, true);
  const withoutStrings = codeOnly(text);
  return referencePatterns
    .flatMap((pattern) => [...code.matchAll(pattern)])
    .filter((match) => withoutStrings[match.index] === match[0][0]) // else it is the text of a string
    .map((match) => ({ specifier: match[1]!, line: lineAt(code, match.index + match[0].indexOf(match[1]!)) }))
    .sort((a, b) => a.line - b.line);
}

/** The 1-based line of a character offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
