// Measures what a page takes in a real browser: see test/bench/page/main.ts.
await import("../test/bench/page/main.ts");
