// Measures how long a start and a toggle take: see test/bench/start/main.ts.
await import("../test/bench/start/main.ts");
