// Plays the contract's rows against an implementation: see test/protocol/main.ts.
await import("../test/protocol/main.ts");
