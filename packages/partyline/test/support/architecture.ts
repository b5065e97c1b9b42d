import { readText, repository } from "./source.ts";

export interface ModuleRow {
  readonly name: string;
  /** Names of modules, or of parts of them, as `core/ports`. */
  readonly mayImport: readonly string[];
}

export interface DependencyRow {
  readonly name: string;
  readonly usedBy: readonly string[];
  readonly reason: string;
}

export interface Architecture {
  readonly modules: readonly ModuleRow[];
  readonly dependencies: readonly DependencyRow[];
}

/** Reads the two tables of ARCHITECTURE.md, which are the data of the architecture test. */
export function readArchitecture(text: string = readText(repository, "ARCHITECTURE.md")): Architecture {
  return {
    modules: rowsBelow(text, "module").map(([name = "", , mayImport = ""]) => ({
      name: codes(name)[0] ?? "",
      mayImport: codes(mayImport),
    })),
    dependencies: rowsBelow(text, "dependency").map(([name = "", usedBy = "", reason = ""]) => ({
      name: codes(name)[0] ?? "",
      usedBy: codes(usedBy),
      reason,
    })),
  };
}

/** The module of a file of src: its folder, or its own name for a file that lies in src itself. */
export function moduleOf(file: string): string {
  return file.split("/")[0] ?? file;
}

/** Whether `allowed`, as a table names it, covers a file: the module as a whole, one folder or one file of it. */
export function covers(allowed: string, file: string): boolean {
  return file === allowed || file === `${allowed}.ts` || file.startsWith(`${allowed}/`);
}

/** Finds one cycle in a graph of files, or gives nothing. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    const start = path.indexOf(file);
    if (start !== -1) return [...path.slice(start), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function rowsBelow(text: string, heading: string): string[][] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => cells(line)[0] === heading);
  if (start === -1) throw new Error(`ARCHITECTURE.md has no table whose first column is "${heading}".`);
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("|")) break;
    rows.push(cells(line));
  }
  return rows;
}

function cells(line: string): string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function codes(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
}
