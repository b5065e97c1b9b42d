import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageFolder, readManifest, readText, repository, type Manifest } from "./support/source.ts";

const execute = promisify(execFile);

// Packed as `npm publish` would, and unpacked again: what is looked at is what a user gets.
let folder = "";
let tarball = "";
let unpacked = "";
let manifest: Manifest;

beforeAll(async () => {
  if (!existsSync(join(packageFolder, "dist")))
    throw new Error("There is no dist: run `npm run build` first.");
  folder = await mkdtemp(join(tmpdir(), "partyline-pack-"));
  await execute("npm", ["pack", "--pack-destination", folder], { cwd: packageFolder });
  tarball = join(folder, (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "");
  await execute("tar", ["-xzf", tarball, "-C", folder]);
  unpacked = join(folder, "package");
  manifest = readManifest(unpacked, "package.json");
  // Not the workspace link: an import of a file that was not packed would still be found there.
  await cp(unpacked, join(folder, "user/node_modules", manifest.name), { recursive: true });
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The files that the manifest points to, of `exports` and `bin`. */
function targets(): string[] {
  const { exports, bin } = manifest;
  return [...Object.values(exports), bin].flatMap((target) =>
    typeof target === "string" ? [target] : Object.values(target),
  );
}

describe("the packed package", () => {
  it("holds the manifest, dist, README and LICENSE, and no test", () => {
    const files = listAll();
    const other = files.filter((file) => !file.startsWith("dist/"));
    expect(other).toEqual(["LICENSE", "README.md", "package.json"]);
    expect(files.filter((file) => /\.test\.|tsbuildinfo|(?<!\.d)\.ts$/.test(file))).toEqual([]);
  });

  it("has every file that its manifest points to", () => {
    expect(targets().filter((target) => !existsSync(join(unpacked, target)))).toEqual([]);
  });

  it("has no development or optional dependencies and no scripts", () => {
    expect(manifest.devDependencies).toBeUndefined();
    expect(manifest.optionalDependencies).toBeUndefined();
    expect(manifest.scripts).toBeUndefined();
    expect(Object.keys(manifest.dependencies).filter((name) => name.startsWith("node"))).toEqual([]);
  });

  it("depends on exact versions", () => {
    const loose = Object.values(manifest.dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version));
    expect(loose).toEqual([]);
  });

  it("names no path of the machine that built it", () => {
    const machine = [`${repository}/`, `${homedir()}/`];
    const found = listAll().filter((file) => {
      const text = readText(unpacked, file);
      return machine.some((path) => text.includes(path));
    });
    expect(found).toEqual([]);
  });

  it("starts its command line with a shebang", () => {
    const commands = Object.values(manifest.bin).map((file) => readText(unpacked, file).split("\n")[0]);
    expect(commands).toEqual(["#!/usr/bin/env node"]);
  });

  it("passes publint", async () => {
    const { messages } = await publint({ pkgDir: unpacked, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, manifest, { color: false }))).toEqual([]);
  });

  it("gives every entry its types, by attw", async () => {
    const attw = join(repository, "node_modules/@arethetypeswrong/cli/dist/index.js");
    const options = ["--profile", "esm-only", "--no-definitely-typed", "--no-color", "--no-emoji"];
    const problems = await execute(process.execPath, [attw, tarball, ...options]).then(
      () => "",
      (error: unknown) => (error as { stdout?: string }).stdout ?? String(error),
    );
    expect(problems).toBe("");
  }, 60_000);

  it("is imported by name from a folder of its own", async () => {
    for (const name of Object.keys(manifest.dependencies)) await link(name);
    const script = entries()
      .map((name) => `await import(${JSON.stringify(name)});`)
      .join("\n");
    const child = execute(process.execPath, ["--input-type=module", "-e", script], {
      cwd: join(folder, "user"),
    });
    await expect(child).resolves.toMatchObject({ stdout: "", stderr: "" });
  });

  const compilers = ["tools/oldest-typescript/node_modules/typescript", "node_modules/typescript"];
  const resolutions = [
    ["node16", "node16"],
    ["esnext", "bundler"],
  ] as const;

  describe.each(compilers)("the types in %s", (compiler) => {
    it.each(resolutions)(
      "check without skipLibCheck, module %s and resolution %s",
      async (module, resolution) => {
        for (const name of ["@types/node", "undici-types"]) await link(name);
        const found = await typeErrors(compiler, entries(), [
          ...["--module", module, "--moduleResolution", resolution, "--lib", "es2023,dom,dom.iterable"],
          ...["--types", "node"],
        ]);
        expect(found).toBe("");
      },
      60_000,
    );

    it("of the client check in a page that has no types of Node", async () => {
      const client = entries().filter((name) => /\/(?:client|protocol)\b/.test(name));
      const found = await typeErrors(compiler, client, [
        ...["--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2022,dom,dom.iterable"],
        ...["--typeRoots", "none"],
      ]);
      expect(found).toBe("");
    }, 60_000);
  });
});

/** The names under which the package is imported. */
function entries(): string[] {
  return Object.keys(manifest.exports)
    .filter((subpath) => !subpath.endsWith(".json"))
    .map((subpath) => subpath.replace(".", manifest.name));
}

/** Puts a package of the repository beside the unpacked one. */
async function link(name: string): Promise<void> {
  const target = join(folder, "user/node_modules", name);
  if (!existsSync(target)) await cp(join(repository, "node_modules", name), target, { recursive: true });
}

/** Errors that a compiler finds in a module that takes everything from these entries. */
async function typeErrors(
  compiler: string,
  names: readonly string[],
  options: readonly string[],
): Promise<string> {
  const user = join(folder, "user");
  const file = join(user, `types-${names.length}.ts`);
  const lines = names.map((name, index) => `export * as entry${index} from ${JSON.stringify(name)};\n`);
  await writeFile(join(user, "package.json"), '{ "type": "module" }');
  await writeFile(file, lines.join(""));
  const tsc = join(repository, compiler, "bin/tsc");
  const strict = ["--noEmit", "--strict", "--skipLibCheck", "false", "--target", "es2022"];
  return execute(process.execPath, [tsc, ...strict, ...options, file], { cwd: user }).then(
    () => "",
    (error: unknown) => (error as { stdout?: string }).stdout ?? String(error),
  );
}

function listAll(): string[] {
  return readdirSync(unpacked, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(unpacked, join(entry.parentPath, entry.name)))
    .sort();
}
