import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type BuildOptions, type Plugin } from "esbuild";
import { expect, it } from "vitest";
import { packageFolder } from "./support/source.ts";

const KIB = 1024;
const entry = "src/client/index.ts";

/** What each part that is loaded later may add to what is there, bytes, gzipped. */
const LATER: Readonly<Record<string, number>> = {
  "src/client/follow/follow-channel.ts": 2.25 * KIB,
  "src/client/keeper.ts": 1.25 * KIB,
  "src/client/share/share.ts": 7 * KIB,
  "src/client/transports/poll.ts": 2.75 * KIB,
  "src/client/transports/sse.ts": 3.25 * KIB,
};

/** What each entry that pages load beside the client may add to it, bytes, gzipped. */
const BESIDE: Readonly<Record<string, number>> = {
  "src/client/follow/index.ts": 2.25 * KIB,
  "src/client/indexed-db/index.ts": 2.75 * KIB,
};

const options = {
  entryPoints: [join(packageFolder, entry)],
  absWorkingDir: packageFolder,
  outdir: "size",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  platform: "browser",
  metafile: true,
  write: false,
  logLevel: "silent",
} satisfies BuildOptions;

const leaveOutWhatIsLoadedLater: Plugin = {
  name: "later",
  setup(building) {
    building.onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === "dynamic-import" ? { path, external: true } : undefined,
    );
  },
};

const gzipped = (contents: Uint8Array): number => gzipSync(contents, { level: 9 }).length;

it("keeps what a page loads of the client at once within 9 KiB gzipped", async () => {
  const { outputFiles } = await build({ ...options, plugins: [leaveOutWhatIsLoadedLater] });
  const size = gzipped(outputFiles[0]?.contents ?? new Uint8Array());
  process.stdout.write(`partyline/client: ${size} of ${9 * KIB} bytes, gzipped\n`);
  expect(size).toBeLessThanOrEqual(9 * KIB);
});

it("keeps each part that is loaded later or beside the client within its bound", async () => {
  const bounds = { ...LATER, ...BESIDE };
  const entryPoints = [entry, ...Object.keys(BESIDE)].map((file) => join(packageFolder, file));
  const { outputFiles, metafile } = await build({ ...options, entryPoints, splitting: true });
  expect(Object.keys(metafile.inputs).filter((file) => !/^src\/(client|protocol)\//.test(file))).toEqual([]);

  const outputs = Object.entries(metafile.outputs);
  const withStaticImports = (path: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(path)) return seen;
    seen.add(path);
    for (const next of metafile.outputs[path]?.imports ?? [])
      if (next.kind === "import-statement") withStaticImports(next.path, seen);
    return seen;
  };
  const sizeOf = (path: string): number =>
    gzipped(
      outputFiles.find((file) => file.path === join(packageFolder, path))?.contents ?? new Uint8Array(),
    );
  const atOnce = withStaticImports(outputs.find(([, { entryPoint }]) => entryPoint === entry)?.[0] ?? "");

  const later = outputs.filter(([, { entryPoint }]) => entryPoint !== undefined && entryPoint !== entry);
  expect(new Set(later.map(([, { entryPoint }]) => entryPoint))).toEqual(new Set(Object.keys(bounds)));
  for (const [path, { entryPoint = "" }] of later) {
    const size = [...withStaticImports(path)]
      .filter((part) => !atOnce.has(part))
      .reduce((sum, part) => sum + sizeOf(part), 0);
    process.stdout.write(`${entryPoint}: ${size} of ${bounds[entryPoint]} bytes more, gzipped\n`);
    expect(size).toBeLessThanOrEqual(bounds[entryPoint] ?? 0);
  }
});
