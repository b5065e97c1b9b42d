import { createPartyline } from "../packages/partyline/src/index.ts";
import { type CaseResult, installAutobahn, runAutobahn } from "./autobahn.ts";

// Suites that others wrote, against our server. They need what a machine may not have (Python 2.7), and so are no part
// of the gate: `npm run conformance`, or `npm run conformance core` for one of them.

interface Suite {
  readonly name: string;
  readonly about: string;
  readonly cases: readonly string[];
  /** Cases that fail, and why: any other failure, and each of these that passes, is one to look into. */
  readonly fails: Readonly<Record<string, string>>;
}

const FRAGMENTS =
  "has more fragments than `limits.fragments`, 16 384 by default, against work made by tiny ones";

/** Of the groups 12 and 13, with messages of 16 to 8 192 bytes: the longer ones are the same again. */
const DEFLATE_GROUPS = [12.1, 12.2, 12.3, 12.4, 12.5, 13.1, 13.2, 13.3, 13.4, 13.5, 13.6, 13.7];

const suites: readonly Suite[] = [
  {
    name: "core",
    about: "framing, pings, reserved bits, opcodes, fragments, UTF-8, closing",
    cases: ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"],
    fails: {},
  },
  {
    name: "limits",
    about: "messages of up to 16 MiB, whole, in pieces and in many fragments",
    cases: ["9.*"],
    fails: { "9.3.1": FRAGMENTS, "9.3.2": FRAGMENTS, "9.4.1": FRAGMENTS, "9.4.2": FRAGMENTS },
  },
  {
    name: "deflate",
    about: "permessage-deflate with every offer that a client may make",
    cases: DEFLATE_GROUPS.flatMap((group) => [1, 2, 3, 4, 5, 6].map((size) => `${group}.${size}`)),
    fails: {},
  },
];

const GOOD = new Set(["OK", "NON-STRICT", "INFORMATIONAL"]);
const isGood = ({ behavior, behaviorClose }: CaseResult): boolean =>
  GOOD.has(behavior) && (behaviorClose === "OK" || behaviorClose === "INFORMATIONAL");

const asked = process.argv.slice(2);
const chosen = suites.filter(({ name }) => asked.length === 0 || asked.includes(name));
const problem =
  chosen.length === 0
    ? `There is ${suites.map(({ name }) => name).join(", ")}; not ${asked.join(", ")}.`
    : installAutobahn();
if (problem !== undefined) {
  console.error(problem);
  process.exit(2);
}

let passed = 0;
let failed = 0;
for (const suite of chosen) await judge(suite);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function judge({ name, about, cases, fails }: Suite): Promise<void> {
  // The cases have larger messages than a channel has, and more of them than one publisher may send.
  const server = createPartyline({
    compression: true,
    limits: { messageBytes: 16 * 1024 * 1024, commandsPerSecond: 1_000_000, commandBurst: 1_000_000 },
    retention: { count: 16, bytes: 256 * 1024 * 1024 },
  });
  try {
    const { port } = await server.listen(0);
    const url = `ws://127.0.0.1:${port}/channels/echo`;
    const results = await runAutobahn(url, cases, (done) => showProgress(`${name}: case ${done}`));
    showProgress("");
    report(name, about, results, fails);
  } finally {
    await server.close();
  }
}

function report(
  name: string,
  about: string,
  results: Readonly<Record<string, CaseResult>>,
  fails: Suite["fails"],
): void {
  const all = Object.entries(results);
  const good = all.filter(([, result]) => isGood(result));
  console.log(`\nAutobahn ${name} (${about}): ${good.length} of ${all.length}`);
  const unforeseen = all.filter(([id, result]) => !isGood(result) && fails[id] === undefined);
  for (const [id, { behavior, behaviorClose }] of unforeseen) {
    console.log(`  ${id} FAILED: ${behavior}, close ${behaviorClose}`);
  }
  for (const [id, why] of Object.entries(fails)) {
    const result = results[id];
    const passes = result !== undefined && isGood(result);
    console.log(
      passes ? `  ${id} FAILED: it passes, and should not: ${why}` : `  ${id} is refused: it ${why}`,
    );
    if (passes) failed++;
  }
  failed += unforeseen.length;
  passed += good.length;
}

function showProgress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${text}`);
}
