// Measures what the Worker costs: see test/bench/worker/main.ts.
await import("../test/bench/worker/main.ts");
