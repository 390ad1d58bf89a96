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
  /** One for each aim; undefined if it cannot be told, for want of the contender that the ratio is to. */
  readonly aimsMet: readonly (boolean | undefined)[];
}

const perSecond: Readonly<Partial<Record<Row['unit'], number>>> = { 'ns CPU': 1e9, 'us CPU': 1e6 };

/** The rows of one operation, with what follows from them. */
export function results(rows: readonly Row[], { reference }: Pick<Workload, 'reference'>): Result[] {
  const medians = new Map(rows.map(({ contender, values }) => [contender, spread(values).median]));
  const ratioTo = (name: string | undefined, median: number): number | undefined => {
    const base = medians.get(name ?? '');
    return base === undefined || median === 0 ? undefined : base / median;
  };
  return rows.map((row) => {
    const { min, median, max } = spread(row.values);
    const scale = perSecond[row.unit];
    const perCpuSecond = scale === undefined ? undefined : scale / median;
    const aimsMet = (row.aims ?? []).map(({ atMost, ratio: wanted, over = reference }) => {
      if (atMost !== undefined) return median <= atMost;
      const found = ratioTo(over, median);
      return wanted === undefined || found === undefined ? undefined : found >= wanted;
    });
    return { ...row, min, median, max, ratio: ratioTo(reference, median), perCpuSecond, aimsMet };
  });
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

function aimText({ aims = [], aimsMet }: Result): string {
  const texts = aims.map(({ atMost, ratio, over }, index) => {
    const text = atMost === undefined ? `>= ${ratio}x${over === undefined ? '' : ` ${over}`}` : `<= ${atMost}`;
    const isMet = aimsMet[index];
    return isMet === undefined ? text : `${text} ${isMet ? 'met' : 'MISSED'}`;
  });
  return texts.join(', ');
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)} k` : value.toFixed(1);
}
