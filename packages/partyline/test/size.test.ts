import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { packageFolder } from "./support/source.ts";

const budget = 8 * 1024;

it("keeps the client, with its three transports, within 8 KiB gzipped", async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(packageFolder, "src/client/index.ts")],
    absWorkingDir: packageFolder,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const [bundle] = outputFiles;
  expect(Object.keys(metafile.inputs).filter((file) => !/^src\/(client|protocol)\//.test(file))).toEqual([]);

  const size = gzipSync(bundle?.contents ?? "", { level: 9 }).length;
  process.stdout.write(`partyline/client: ${size} of ${budget} bytes, gzipped\n`);
  expect(size).toBeLessThanOrEqual(budget);
});
