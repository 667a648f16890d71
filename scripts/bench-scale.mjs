// Measures the Worker with a company's sessions: see test/bench/scale/main.ts.
await import("../test/bench/scale/main.ts");
