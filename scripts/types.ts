import { existsSync } from "node:fs";
import { join } from "node:path";
import { exampleFolders, root, run, tool } from "./support.ts";

// Three worlds, so that `process` in the client or `document` in core does not compile.
const projects = [
  "packages/partyline/tsconfig.pure.json",
  "packages/partyline/tsconfig.browser.json",
  "packages/partyline/tsconfig.json",
  "tsconfig.json",
  "bench/tsconfig.json",
  ...exampleFolders().map((folder) => join(folder, "tsconfig.json")),
].filter((project) => existsSync(join(root, project)));

const broken = projects.filter((project) => {
  console.log(`Types of ${project}`);
  return !run(tool("typescript/bin/tsc", "-p", project, "--noEmit"));
});

if (broken.length > 0) {
  console.error(`Type errors in ${broken.join(", ")}`);
  process.exitCode = 1;
}
