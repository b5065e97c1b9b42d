import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  entries,
  listFiles,
  packageFolder,
  readManifest,
  readText,
  repository,
  type Manifest,
} from "./support/source.ts";

const workspaces = ["package.json", "packages/partyline/package.json"].concat(
  listFiles(join(repository, "examples"), "package.json").map((file) => join("examples", file)),
);

/** Copied there by the build; the original is looked at. */
const copies = ["packages/partyline/README.md"];

describe("the repository", () => {
  it("pins the version of everything that it installs", () => {
    const loose = workspaces.flatMap((file) => {
      const { dependencies, devDependencies, optionalDependencies } = readManifest(repository, file);
      return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
        .filter(([, version]) => !/^(npm:[\w@/-]+@)?\d+\.\d+\.\d+$/.test(version))
        .map(([name, version]) => `${file}: ${name} ${version}`);
    });
    expect(loose).toEqual([]);
  });

  it("names no download address in its lock file", () => {
    // With an address, `npm ci` would ask one registry, whichever the machine is set up for.
    expect(readText(repository, "package-lock.json").match(/"resolved": "\w+:.*"/g)).toBeNull();
  });

  it("locks what other platforms install", () => {
    // Where a registry lacks a platform's binary, npm leaves it out of the lock file, and `npm ci` then
    // refuses the lock file on every platform: choose a version that has them all.
    const { packages } = JSON.parse(readText(repository, "package-lock.json")) as {
      packages: Record<string, Partial<Manifest>>;
    };
    const locked = new Set(Object.keys(packages).map((path) => path.split("node_modules/").at(-1)));
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !locked.has(name))
        .map((name) => `${path}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  it("has a source file for every public entry", () => {
    expect(entries().filter(({ file }) => !existsSync(join(packageFolder, file)))).toEqual([]);
  });

  it("has a target for every relative link of its documents", () => {
    const documents = listFiles(repository, ".md").filter((file) => !copies.includes(file));
    const broken = documents.flatMap((file) =>
      [...readText(repository, file).matchAll(/\]\((?!\w+:|#)([^)\s#]+)[^)]*\)/g)]
        .map((match) => match[1] ?? "")
        .filter((target) => !existsSync(join(repository, dirname(file), target)))
        .map((target) => `${file}: ${target}`),
    );
    expect(broken).toEqual([]);
  });
});
