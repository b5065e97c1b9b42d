// The chaos runner belongs to the package's tests, whose types know of browsers; here it only has a name.
await import(new URL("../packages/partyline/test/chaos/main.ts", import.meta.url).href);
