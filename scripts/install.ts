import { findChromium, findProgram } from "./chromium.ts";
import { run } from "./support.ts";

interface Need {
  what: string;
  debian: string;
  found: () => string | undefined;
}

// The browser tests drive Chromium; curl and Python stand for the clients that we did not write.
const needs: Need[] = [
  { what: "a Chromium", debian: "chromium", found: findChromium },
  { what: "curl", debian: "curl", found: () => findProgram("curl") },
  { what: "Python 3", debian: "python3", found: () => findProgram("python3") },
];

/** Installs from the system's packages what the tests need and the machine lacks. */
export function installTestNeeds(): boolean {
  const missing = needs.filter((need) => need.found() === undefined);
  if (missing.length === 0) {
    console.log(`Nothing to install: the tests use ${needs.map((need) => need.found()).join(", ")}.`);
    return true;
  }
  const packages = missing.map((need) => need.debian);
  const wanted = `The tests need ${missing.map((need) => need.what).join(", ")}`;
  if (findProgram("apt-get") === undefined) {
    console.error(
      `${wanted}, and there is no apt-get here: install it (for Chromium, CHROMIUM=/path works too).`,
    );
    return false;
  }
  if (process.getuid?.() !== 0) {
    console.error(`${wanted}. Run: sudo apt-get install ${packages.join(" ")}`);
    return false;
  }
  console.log(`${wanted}: installing ${packages.join(", ")} with apt-get.`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  return (
    run({ command: "apt-get", args: ["update", "-q"], env }) &&
    run({ command: "apt-get", args: ["install", "-q", "-y", "--no-install-recommends", ...packages], env })
  );
}
