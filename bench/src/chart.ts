import type { Column } from "./benchmark.ts";
import { type BenchmarkResult, format, type Row, spread } from "./results.ts";

const WIDTH = 500;
const LABEL = 196;
const VALUE = 64;
const BAR = 16;
const STEP = 26;
const TITLE = 34;

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 14px }
  .value { font-variant-numeric: tabular-nums }
  .ours { fill: #0969da } .other { fill: #afb8c1 }
  .spread { stroke: #24292f; stroke-width: 1.5; fill: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .ours { fill: #4493f8 } .other { fill: #545d68 } .spread { stroke: #e6edf3 }
  }
`;

/** The figures of a benchmark that have a chart, as bars; nothing where none has. */
export function chart(result: BenchmarkResult): string | undefined {
  const rows = result.rows.filter(({ runs }) => runs.length > 0);
  const columns = result.columns.filter((column) => column.chart !== undefined);
  if (rows.length === 0 || columns.length === 0) return undefined;
  const panel = TITLE + rows.length * STEP + 8;
  const panels = columns.map((column, index) => drawPanel(column, rows, index * panel));
  const description = columns.map((column) => `${column.chart}: ${inWords(column, rows)}.`).join(" ");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${columns.length * panel}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escapeXml(result.title)}</title>`,
    `<desc id="description">${escapeXml(description)}</desc>`,
    `<style>${STYLE}</style>`,
    ...panels,
    "</svg>\n",
  ].join("\n");
}

function drawPanel(column: Column, rows: readonly Row[], top: number): string {
  const most = Math.max(...rows.map((row) => spread(row, column.key).most));
  const scale = (WIDTH - LABEL - VALUE - 8) / (most > 0 ? most : 1);
  const lines = rows.map((row, index) => {
    const { median, least, most: highest } = spread(row, column.key);
    const y = top + TITLE + index * STEP;
    const middle = y + BAR / 2;
    const [from, to] = [LABEL + least * scale, LABEL + highest * scale];
    const whisker =
      row.runs.length > 1
        ? `<path class="spread" d="M${place(from)} ${middle}H${place(to)}M${place(from)} ${middle - 3}v6M${place(to)} ${middle - 3}v6"/>`
        : "";
    return [
      `<text x="${LABEL - 8}" y="${middle + 4.5}" text-anchor="end">${escapeXml(row.subject)}</text>`,
      `<rect class="${row.subject.startsWith("partyline") ? "ours" : "other"}" x="${LABEL}" y="${y}" width="${place(Math.max(1, median * scale))}" height="${BAR}" rx="2"/>`,
      whisker,
      `<text class="value" x="${place(to + 8)}" y="${middle + 4.5}">${format(median, column.digits)}</text>`,
    ].join("");
  });
  return [`<text class="title" x="0" y="${top + 18}">${escapeXml(column.chart ?? "")}</text>`, ...lines].join(
    "\n",
  );
}

function inWords(column: Column, rows: readonly Row[]): string {
  return rows
    .map((row) => `${row.subject} ${format(spread(row, column.key).median, column.digits)}`)
    .join("; ");
}

const place = (value: number): string => value.toFixed(1);

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
