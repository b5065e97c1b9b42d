import { existsSync, rmSync, writeFileSync } from "node:fs";
import { findChromium, findProgram } from "./chromium.ts";
import { run } from "./support.ts";

interface Need {
  what: string;
  debian: string;
  found: () => string | undefined;
  /** Its package also makes a service of it, which the tests do not want: they start their own. */
  service?: true;
}

// The browser tests drive Chromium; curl and Python stand for the clients that we did not write, nginx and HAProxy for
// what is between them and a server.
const needs: Need[] = [
  { what: "a Chromium", debian: "chromium", found: findChromium },
  { what: "curl", debian: "curl", found: () => findProgram("curl") },
  { what: "Python 3", debian: "python3", found: () => findProgram("python3") },
  { what: "nginx", debian: "nginx", found: () => findProgram("nginx"), service: true },
  { what: "HAProxy", debian: "haproxy", found: () => findProgram("haproxy"), service: true },
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
  const services = missing.filter((need) => need.service).map((need) => need.debian);
  return withoutServices(services, () => {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const install = ["install", "-q", "-y", "--no-install-recommends", ...packages];
    return (
      run({ command: "apt-get", args: ["update", "-q"], env }) &&
      run({ command: "apt-get", args: install, env })
    );
  });
}

/** What Debian's packages ask before they start a service; 101 is no. */
const POLICY = "/usr/sbin/policy-rc.d";

/** Installs so that no service of these packages is started: not now, and not when the machine starts again. */
function withoutServices(services: readonly string[], install: () => boolean): boolean {
  const ours = services.length > 0 && !existsSync(POLICY);
  // Ctrl-C ends the installation, and then this.
  const stay = (): void => undefined;
  process.on("SIGINT", stay);
  if (ours) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    if (!install()) return false;
  } finally {
    if (ours) rmSync(POLICY, { force: true });
    process.off("SIGINT", stay);
  }
  if (services.length === 0 || findProgram("systemctl") === undefined) return true;
  return run({ command: "systemctl", args: ["--quiet", "disable", ...services] });
}
