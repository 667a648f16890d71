// Plays the contract's rows against an implementation: see test/compat/protocol/main.ts.
await import("../test/compat/protocol/main.ts");
