/** Rows as a table for people and as data for programs. */
import { spread } from './machine.ts';
import type { Row, Workload } from './workload.ts';

export interface Result extends Row {
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** The reference's median divided by this one: 2 is twice as good. Undefined without the reference. */
  readonly ratio: number | undefined;
  /** Operations per second of CPU time. */
  readonly perCpuSecond: number | undefined;
  readonly aimMet: boolean | undefined;
}

const perSecond: Readonly<Partial<Record<Row['unit'], number>>> = { 'ns CPU': 1e9, 'us CPU': 1e6 };

/** The rows of one operation, with what follows from them. */
export function results(rows: readonly Row[], { reference }: Pick<Workload, 'reference'>): Result[] {
  const base = rows.find(({ contender }) => contender === reference);
  const baseMedian = base === undefined ? undefined : spread(base.values).median;
  return rows.map((row) => {
    const { min, median, max } = spread(row.values);
    const ratio = baseMedian === undefined || median === 0 ? undefined : baseMedian / median;
    const scale = perSecond[row.unit];
    const perCpuSecond = scale === undefined ? undefined : scale / median;
    return { ...row, min, median, max, ratio, perCpuSecond, aimMet: isMet(row, median, ratio) };
  });
}

function isMet({ aim }: Row, median: number, ratio: number | undefined): boolean | undefined {
  if (aim === undefined) return undefined;
  if (aim.atMost !== undefined) return median <= aim.atMost;
  return aim.ratio === undefined || ratio === undefined ? undefined : ratio >= aim.ratio;
}

const columns = [34, -18, -7, 10, 10, 10, 11, 8] as const;

export function header(reference: string | undefined): string {
  const titles = ['operation', 'contender', 'unit', 'min', 'median', 'max', 'per CPU-s', 'ratio'];
  const columnTitles = cells(titles);
  return reference === undefined ? columnTitles : `${columnTitles}  aim (ratio: times as good as ${reference})`;
}

export function line(result: Result): string {
  const { operation, contender, unit, min, median, max, perCpuSecond, ratio } = result;
  const rate = perCpuSecond === undefined ? '' : short(perCpuSecond);
  const relative = ratio === undefined ? '' : `${ratio.toFixed(2)}x`;
  const row = [operation, contender, unit, number(min), number(median), number(max), rate, relative];
  return `${cells(row)}  ${aimText(result)}`.trimEnd();
}

function cells(texts: readonly string[]): string {
  return texts
    .map((text, index) => {
      const width = columns[index] ?? 0;
      return width < 0 || index === 0 ? text.padEnd(Math.abs(width)) : text.padStart(width);
    })
    .join(' ');
}

function aimText({ aim, aimMet }: Result): string {
  if (aim === undefined) return '';
  const text = aim.atMost === undefined ? `>= ${aim.ratio}x` : `<= ${aim.atMost}`;
  return aimMet === undefined ? text : `${text} ${aimMet ? 'met' : 'MISSED'}`;
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)} k` : value.toFixed(1);
}
