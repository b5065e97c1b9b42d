// The fuzzer belongs to the package's tests; here it only has a name.
await import(new URL("../packages/partyline/test/attacks/fuzz/main.ts", import.meta.url).href);
