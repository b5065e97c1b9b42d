import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Misuse } from "../numbers.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const FOLDER = join(ROOT, "bench/.against");

/**
 * Lays out a commit's tree beside the working tree and builds its package; a tree that is already built is used as it is.
 * Its dependencies are those that the working tree has installed.
 *
 * @returns the root of that tree
 * @throws Misuse if git does not know the commit
 */
export function checkOut(commit: string): string {
  const id = resolveCommit(commit);
  const tree = join(FOLDER, id);
  const built = join(tree, ".built");
  if (existsSync(built)) return tree;
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(join(tree, "node_modules"), { recursive: true });
  // An index of its own, so that the working tree's stays as it is.
  const env = { ...process.env, GIT_INDEX_FILE: join(tree, ".index") };
  execFileSync("git", ["read-tree", id], { cwd: ROOT, env });
  execFileSync("git", ["checkout-index", "--all", `--prefix=${tree}/`], { cwd: ROOT, env });
  // All other packages are found further up, in the working tree's node_modules, or in those of a workspace.
  symlinkSync(join(tree, "packages/partyline"), join(tree, "node_modules/partyline"), "junction");
  for (const workspace of ["packages/partyline", "bench"]) {
    const installed = join(ROOT, workspace, "node_modules");
    if (existsSync(installed)) symlinkSync(installed, join(tree, workspace, "node_modules"), "junction");
  }
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [compiler, "-p", join(tree, "packages/partyline/tsconfig.build.json")], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  writeFileSync(built, "");
  return tree;
}

function resolveCommit(commit: string): string {
  try {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${commit}^{commit}`];
    return execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim();
  } catch {
    throw new Misuse(`git knows no commit "${commit}".`);
  }
}
