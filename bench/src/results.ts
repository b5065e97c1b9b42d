import { type Column, type Figures, SATURATED } from "./benchmark.ts";
import { median, table } from "./readings.ts";

/** What the file of results holds; tables and charts are drawn from it. */
export interface Results {
  readonly machine: Machine;
  readonly benchmarks: Readonly<Record<string, BenchmarkResult>>;
}

export interface Machine {
  readonly date: string;
  readonly node: string;
  readonly system: string;
  readonly processor: string;
  readonly cores: number;
  /** What ran where. */
  readonly placement: string;
}

export interface BenchmarkResult {
  readonly title: string;
  /** The load, in one sentence. */
  readonly describe: string;
  readonly numbers: Figures;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Load of the machine over the last minute, before and after: 1 is one busy core. */
  readonly busy: readonly [before: number, after: number];
  /** Percent of the cores' time that the host of a virtual machine gave to others meanwhile, where the system tells. */
  readonly stolen?: number;
}

export interface Row {
  readonly subject: string;
  readonly runs: readonly Figures[];
  readonly note?: string;
  /** Why there are no figures, or not all. */
  readonly missing?: string;
}

/** A figure over the runs. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spread({ runs }: Row, key: string): Spread {
  const values = runs.map((run) => run[key] ?? Number.NaN);
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** A table with its explanation, in Markdown. */
export function describeResult(result: BenchmarkResult): string {
  const notes = result.rows.some(({ note }) => note !== undefined);
  const head = ["server", ...result.columns.map((column) => column.head), ...(notes ? ["note"] : [])];
  const rows = result.rows.map((row) => [
    isSaturated(row) ? `${row.subject} †` : row.subject,
    ...cells(row, result.columns),
    ...(notes ? [row.note ?? ""] : []),
  ]);
  return [result.describe, table(head, rows), ...footnotes(result)].join("\n\n");
}

function cells(row: Row, columns: readonly Column[]): string[] {
  if (row.runs.length === 0) return columns.map((_, index) => (index === 0 ? "not there" : ""));
  return columns.map((column) => {
    const { median: middle, least, most } = spread(row, column.key);
    const figure = format(middle, column.digits);
    if (column.chart === undefined || row.runs.length === 1) return figure;
    return `${figure} (${format(least, column.digits)}–${format(most, column.digits)})`;
  });
}

function footnotes({ rows, busy, stolen }: BenchmarkResult): string[] {
  const runs = Math.max(0, ...rows.map((row) => row.runs.length));
  const medians = runs > 1 ? `Medians of ${runs} runs (least to most). ` : "One run. ";
  const others = stolen === undefined ? "" : ` Its host gave ${stolen.toFixed(1)} % of its time to others.`;
  return [
    `${medians}The machine's load went from ${busy[0].toFixed(1)} to ${busy[1].toFixed(1)}.${others}`,
    ...(rows.some(isSaturated)
      ? ["† The load generator was busy itself: the server may be faster than this."]
      : []),
    ...rows.flatMap(({ subject, missing }) =>
      missing === undefined ? [] : [`${subject}: ${missing.replace(/\.$/, "")}.`],
    ),
  ];
}

function isSaturated(row: Row): boolean {
  return row.runs.length > 0 && spread(row, "load").median > SATURATED * 100;
}

/** With thin spaces between thousands, so that a table can be read. */
export function format(value: number, digits: number): string {
  if (Number.isNaN(value)) return "";
  const [whole = "", rest] = value.toFixed(digits).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u2009");
  return rest === undefined ? grouped : `${grouped}.${rest}`;
}

export function describeMachine({ date, node, system, processor, cores, placement }: Machine): string {
  return `${date.slice(0, 10)}, Node ${node}, ${system}, ${cores} cores of ${processor}. ${placement}`;
}

/** All of it, one chapter for each benchmark. */
export function describeAll({ machine, benchmarks }: Results): string {
  const chapters = Object.values(benchmarks).map(
    (result) => `### ${result.title}\n\n${describeResult(result)}`,
  );
  return [...chapters, describeMachine(machine)].join("\n\n");
}

/**
 * A page with what stands between `<!-- bench: NAME -->` and `<!-- /bench -->` renewed: the table of a benchmark, or
 * with the name `machine` what they were measured on. What was not measured stays as it is.
 *
 * @param chartOf where the chart of a benchmark is, as the page has to name it
 */
export function renewPage(
  page: string,
  { machine, benchmarks }: Results,
  chartOf: (name: string) => string | undefined,
): string {
  return page.replaceAll(
    /(<!-- bench: (\S+) -->\n)[^]*?(\n?<!-- \/bench -->)/g,
    (whole: string, opening: string, name: string, closing: string) => {
      const result = benchmarks[name];
      if (name === "machine") return `${opening}\n${describeMachine(machine)}\n${closing}`;
      if (!result) return whole;
      const path = chartOf(name);
      const picture =
        path === undefined ? "" : `![${result.title}: the figures of the table as bars](${path})\n\n`;
      return `${opening}\n${picture}${describeResult(result)}\n${closing}`;
    },
  );
}
