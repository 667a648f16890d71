// Measures local DNS beside dnsmasq: see test/bench/dns/main.ts.
await import("../test/bench/dns/main.ts");
