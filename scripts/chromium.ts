import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const applications = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The Chromium that the browser tests drive: `$CHROMIUM`, or the first one found. */
export function findChromium(): string | undefined {
  const given = process.env.CHROMIUM;
  if (given !== undefined && given !== "") return given;
  return findProgram(...names) ?? applications.find(isExecutable);
}

/** A program in `PATH`, or where Debian keeps those of servers, which not every user's `PATH` names. */
export function findProgram(...programs: string[]): string | undefined {
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const folders = [...path, "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return programs.flatMap((program) => folders.map((folder) => join(folder, program))).find(isExecutable);
}

/**
 * Start options for playwright-core. Chromium calls home at every start unless told not to, and its
 * sandbox refuses to run as root, which is what a container usually gives.
 */
export function chromiumOptions(): { executablePath: string; args: string[] } {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("No Chromium found: run `npm test`, or set CHROMIUM.");
  const args = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  if (process.getuid?.() === 0) args.push("--no-sandbox");
  return { executablePath, args };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
