// The limits run belongs to the package's tests; here it only has a name.
await import(new URL("../packages/partyline/test/attacks/limits/main.ts", import.meta.url).href);
