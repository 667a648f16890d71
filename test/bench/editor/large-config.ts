// A linkup.yaml as large as that of a very large system.
import { type EditorFacts, NO_FACTS } from "../../../extension/language/document/editor-facts.ts";

/** Five lines for each service, those of the domains and routes included. */
export function largeConfig(services: number): string {
  const lines = ["linkup:", "  worker_url: https://linkup.example.com", "services:"];
  for (let i = 0; i < services; i++) {
    lines.push(
      `  - name: service-${i}`,
      `    remote: https://service-${i}.example.com`,
      `    local: http://localhost:${10_000 + i}`,
    );
    if (i % 10 === 0)
      lines.push(`    rewrites: # of service ${i}`, `      - source: ^/v${i}/(.*)`, "        target: /$1");
    if (i % 10 === 5) lines.push("    health:", "      path: /healthz", "      statuses: [200, 204]");
  }
  lines.push("domains:");
  for (let domain = 0; lines.length < services * 5 - 3; domain++) {
    lines.push(
      `  - domain: domain-${domain}.example.com`,
      `    default_service: service-${domain}`,
      "    routes:",
    );
    for (let route = 0; route < 10; route++)
      lines.push(
        `      - path: ^/api-${domain}/v${route}/.*`,
        `        service: service-${(domain * 10 + route) % services}`,
      );
  }
  return `${lines.join("\n")}\n`;
}

/** As while its session runs: every service with its health. */
export function largeFacts(services: number): EditorFacts {
  const session: EditorFacts["session"] = {
    name: "slim-gecko",
    kind: "tunneled",
    state: "running",
    configPath: "/large/linkup.yaml",
    secondary: false,
    workerUrl: "https://linkup.example.com",
    urls: [],
    services: Array.from({ length: services }, (_, i) => ({
      name: `service-${i}`,
      target: i % 7 === 0 ? "local" : "remote",
      changing: false,
      local: `http://localhost:${10_000 + i}`,
      remote: `https://service-${i}.example.com`,
      health: "healthy",
      latencyMs: 12,
      reason: undefined,
    })),
  };
  // Nothing listens on most local ports: a finding for each service.
  return { ...NO_FACTS, session, sessionNames: ["slim-gecko"], listening: new Set([22, 10_000, 10_007]) };
}
