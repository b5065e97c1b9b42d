import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, resolve } from "node:path";
import { parseSync, Visitor } from "vite";

export const repository: string = resolve(import.meta.dirname, "../../../..");
export const packageFolder: string = join(repository, "packages/partyline");
export const sourceFolder: string = join(packageFolder, "src");

type Program = ReturnType<typeof parseSync>["program"];

export function readText(...path: string[]): string {
  return readFileSync(join(...path), "utf8");
}

export function parse(file: string): Program {
  const { program, errors } = parseSync(file, readText(file));
  if (errors.length > 0) throw new Error(`${file}: ${errors.map((error) => error.message).join("; ")}`);
  return program;
}

/**
 * All files below a folder with one of the endings, as paths with `/`, relative to it, sorted. What is
 * installed or built is left out, as is what is hidden. A folder that is absent holds no files.
 */
export function listFiles(folder: string, ...endings: string[]): string[] {
  const skipped = (name: string): boolean => name.startsWith(".") || ["node_modules", "dist"].includes(name);
  const walk = (path: string): string[] =>
    readdirSync(join(folder, path), { withFileTypes: true }).flatMap((entry) => {
      if (skipped(entry.name)) return [];
      const file = posix.join(path, entry.name);
      if (entry.isDirectory()) return walk(file);
      return endings.some((ending) => file.endsWith(ending)) ? [file] : [];
    });
  return existsSync(folder) ? walk("").sort() : [];
}

/**
 * The specifiers of everything a file imports: values, types, re-exports, `import()` and `import("…").Type`.
 * Parsed, because a pattern would also find the examples in comments.
 */
export function importsOf(file: string): string[] {
  const found = new Set<string>();
  const visitor = new Visitor({
    ImportDeclaration: (node) => found.add(node.source.value),
    ExportAllDeclaration: (node) => found.add(node.source.value),
    ExportNamedDeclaration: (node) => node.source !== null && found.add(node.source.value),
    TSImportType: (node) => found.add(node.source.value),
    ImportExpression(node) {
      const { source } = node;
      // What is imported under a computed name can't be held against a table.
      found.add(source.type === "Literal" && typeof source.value === "string" ? source.value : "(computed)");
    },
  });
  visitor.visit(parse(file));
  return [...found];
}

/** The file that a relative specifier means, relative to `folder` as `listFiles` gives it. */
export function resolveRelative(file: string, specifier: string): string {
  return posix.normalize(posix.join(dirname(file), specifier));
}

/** `ws` of `ws/lib/x.js`, `@scope/name` of `@scope/name/x`. */
export function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

export interface Manifest {
  name: string;
  version: string;
  bin: Record<string, string>;
  exports: Record<string, string | Record<string, string>>;
  dependencies: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  scripts?: Record<string, string>;
}

export function readManifest(...path: string[]): Manifest {
  return JSON.parse(readText(...path)) as Manifest;
}

/** The public subpaths that are modules, with the source file of each. */
export function entries(): { name: string; file: string }[] {
  return Object.entries(readManifest(packageFolder, "package.json").exports)
    .filter((entry): entry is [string, Record<string, string>] => typeof entry[1] !== "string")
    .map(([subpath, conditions]) => ({
      name: posix.join("partyline", subpath),
      file: (conditions.default ?? "").replace("./dist/", "src/").replace(/\.js$/, ".ts"),
    }));
}
