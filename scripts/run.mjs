// Starts scripts/<name>.ts. It is plain JavaScript that every Node parses, because its first task is
// to tell the reader of an older Node what is wrong; the scripts themselves need type stripping.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const supported = (major === 22 && minor >= 18) || (major === 24 && minor >= 11) || major >= 26;

if (!supported) {
  console.error(
    `partyline needs Node 22.18, 24.11 or 26 and later; this is ${process.versions.node} (${process.execPath}).\n` +
      "On Linux x64 `npm ci` brings its own Node 26 for all `npm run` scripts: was it run, with optional\n" +
      "dependencies? On other systems install a supported Node and try again.",
  );
  process.exit(1);
}

const name = process.argv[2];
if (name === undefined || !/^[a-z-]+$/.test(name)) {
  console.error("usage: node scripts/run.mjs NAME [ARGUMENT...]");
  process.exit(2);
}
// A script reads its own arguments from index 2 on, as if it had been started directly.
process.argv.splice(1, 2, name);
await import(new URL(`./${name}.ts`, import.meta.url).href);
