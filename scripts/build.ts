import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { exampleFolders, root, run, tool } from "./support.ts";

/** Builds the package, then every example that has a `build` script. */
export function build(): boolean {
  return buildPackage() && exampleFolders().every(buildExample);
}

function buildPackage(): boolean {
  console.log("Building packages/partyline");
  // Without this a file that was renamed or deleted would stay in dist and be published.
  rmSync(join(root, "packages/partyline/dist"), { recursive: true, force: true });
  if (!run(tool("typescript/bin/tsc", "-p", "packages/partyline/tsconfig.build.json"))) return false;
  // The compiler keeps the CLI's shebang but not an executable bit, which the workspace's bin link needs.
  const cli = join(root, "packages/partyline/dist/cli/main.js");
  if (existsSync(cli)) {
    chmodSync(cli, 0o755);
    linkCli(cli);
  }
  // npm packs what lies in the package's own folder; the originals stand where readers look for them.
  for (const file of ["README.md", "LICENSE"]) {
    copyFileSync(join(root, file), join(root, "packages/partyline", file));
  }
  return true;
}

/** Makes `npx partyline` work in the repository: npm could not link what was not built when it installed. */
function linkCli(cli: string): void {
  if (process.platform === "win32") return;
  const link = join(root, "node_modules/.bin/partyline");
  rmSync(link, { force: true });
  symlinkSync(relative(dirname(link), cli), link);
}

function buildExample(folder: string): boolean {
  const manifest = join(root, folder, "package.json");
  if (!existsSync(manifest)) return true;
  const { scripts } = JSON.parse(readFileSync(manifest, "utf8")) as { scripts?: Record<string, string> };
  if (scripts?.build === undefined) return true;
  console.log(`Building ${folder}`);
  return run({ command: "npm", args: ["run", "--silent", "build", "-w", folder] });
}

if (process.argv[1] === "build") process.exitCode = build() ? 0 : 1;
