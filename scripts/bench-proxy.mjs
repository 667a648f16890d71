// Measures the proxy against others: see test/bench/proxy/main.ts.
await import("../test/bench/proxy/main.ts");
