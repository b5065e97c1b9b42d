import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { covers, findCycle, moduleOf, readArchitecture } from "./support/architecture.ts";
import {
  importsOf,
  listFiles,
  packageFolder,
  packageOf,
  parse,
  readManifest,
  readText,
  repository,
  resolveRelative,
  sourceFolder,
} from "./support/source.ts";

const { modules, dependencies } = readArchitecture();
const files = listFiles(sourceFolder, ".ts").filter((file) => !file.endsWith(".test.ts"));
const imports = new Map(files.map((file) => [file, importsOf(join(sourceFolder, file))]));
const isRelative = (specifier: string): boolean => specifier.startsWith(".");

/** Every import that `fault` has something to say about, as lines to read. */
function faults(fault: (file: string, specifier: string) => string | undefined): string[] {
  return [...imports].flatMap(([file, specifiers]) =>
    specifiers.flatMap((specifier) => {
      const found = fault(file, specifier);
      return found === undefined ? [] : [`src/${file} imports ${specifier}: ${found}`];
    }),
  );
}

describe("the modules table", () => {
  it("has a row for every folder and file of src", () => {
    const known = modules.map((row) => row.name);
    expect([...new Set(files.map(moduleOf))].filter((name) => !known.includes(name))).toEqual([]);
  });

  it("names only modules of its own", () => {
    const named = modules.flatMap((row) => row.mayImport.map(moduleOf));
    expect(named.filter((name) => !modules.some((row) => row.name === name))).toEqual([]);
  });

  it("allows every relative import", () => {
    const found = faults((file, specifier) => {
      if (!isRelative(specifier)) return undefined;
      const target = resolveRelative(file, specifier);
      if (target.startsWith("..")) return "it leaves src";
      if (moduleOf(target) === moduleOf(file)) return undefined;
      const mayImport = modules.find((row) => row.name === moduleOf(file))?.mayImport ?? [];
      if (mayImport.some((allowed) => covers(allowed, target))) return undefined;
      return `${moduleOf(file)} may import ${mayImport.join(", ") || "nothing"}`;
    });
    expect(found).toEqual([]);
  });
});

describe("imports", () => {
  it("stay out of sibling folders of transports and brokers", () => {
    const found = faults((file, specifier) => {
      const module = moduleOf(file);
      if (!isRelative(specifier) || !["transports", "brokers"].includes(module)) return undefined;
      const [own, other] = [file, resolveRelative(file, specifier)].map((path) =>
        path.split("/").slice(0, -1),
      );
      const siblings = other?.[0] === module && other[1] !== undefined && own?.[1] !== undefined;
      return siblings && own[1] !== other[1] ? "it is a sibling" : undefined;
    });
    expect(found).toEqual([]);
  });

  it("reach Node nowhere in protocol, core and client", () => {
    const pure = ["protocol", "core", "client"];
    expect(
      faults((file, specifier) =>
        pure.includes(moduleOf(file)) && specifier.startsWith("node:") ? "it runs without Node" : undefined,
      ),
    ).toEqual([]);
  });

  it("reach packages only where the table of dependencies says so", () => {
    const found = faults((file, specifier) => {
      if (isRelative(specifier) || specifier.startsWith("node:")) return undefined;
      const row = dependencies.find(({ name }) => name === packageOf(specifier));
      if (row === undefined) return "it is not in the table of dependencies";
      return row.usedBy.includes(moduleOf(file)) ? undefined : `only ${row.usedBy.join(", ")} may`;
    });
    expect(found).toEqual([]);
  });

  it("have the ending of the file", () => {
    expect(
      faults((_file, specifier) =>
        isRelative(specifier) && !specifier.endsWith(".ts") ? "write .ts" : undefined,
      ),
    ).toEqual([]);
  });

  it("form no cycle, types included", () => {
    const graph = new Map(
      [...imports].map(([file, specifiers]) => [
        file,
        specifiers.filter(isRelative).map((specifier) => resolveRelative(file, specifier)),
      ]),
    );
    expect(findCycle(graph)).toBeUndefined();
  });
});

describe("files", () => {
  it("never export everything of another file", () => {
    const found = files.filter((file) =>
      parse(join(sourceFolder, file)).body.some((node) => node.type === "ExportAllDeclaration"),
    );
    expect(found).toEqual([]);
  });

  it("named index.ts only re-export, by name", () => {
    const found = files
      .filter((file) => basename(file) === "index.ts")
      .filter((file) =>
        parse(join(sourceFolder, file)).body.some(
          (node) => node.type !== "ExportNamedDeclaration" || node.source === null,
        ),
      );
    expect(found).toEqual([]);
  });

  it("are at most 400 lines long", () => {
    const all = ["packages/partyline/src", "packages/partyline/test", "scripts", "examples"].flatMap(
      (folder) =>
        listFiles(join(repository, folder), ".ts", ".tsx", ".mjs", ".js", ".css")
          .filter((file) => !file.includes("/data/"))
          .map((file) => join(folder, file)),
    );
    const long = all
      .map((file) => ({ file, lines: readText(repository, file).split("\n").length - 1 }))
      .filter(({ lines }) => lines > 400);
    expect(long).toEqual([]);
  });
});

describe("runtime dependencies", () => {
  it("are those of the table, each with a reason", () => {
    expect(dependencies.map((row) => row.name).sort()).toEqual(
      Object.keys(readManifest(packageFolder, "package.json").dependencies).sort(),
    );
    expect(dependencies.filter((row) => row.reason.length < 20)).toEqual([]);
  });
});

describe("examples", () => {
  it("know the package by its public names alone", () => {
    const examples = join(repository, "examples");
    const names = Object.keys(readManifest(packageFolder, "package.json").exports).map((subpath) =>
      subpath.replace(".", "partyline"),
    );
    const found = listFiles(examples, ".ts", ".tsx", ".js", ".mjs")
      .filter((file) => file.split("/")[1] !== "test")
      .flatMap((file) =>
        importsOf(join(examples, file)).flatMap((specifier) => {
          const inside = resolveRelative(file, specifier).split("/")[0] === file.split("/")[0];
          if (isRelative(specifier)) return inside ? [] : [`${file} leaves its example: ${specifier}`];
          if (packageOf(specifier) !== "partyline" || names.includes(specifier)) return [];
          return [`${file} imports ${specifier}, which is not public`];
        }),
      );
    expect(found).toEqual([]);
  });
});
