// Measures what a session costs at rest: see test/bench/idle/main.ts.
await import("../test/bench/idle/main.ts");
