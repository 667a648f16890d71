/** The rows of the table: what is asked of each proxy, and what it may cost. */
import type { Load } from "./load.ts";

const H1 = { http2: false, freshHeads: false, per: 10_000, unit: "s/10,000", targets: [] };
const H2 = { ...H1, http2: true, connections: 1, streams: 100, file: "20k", requests: 3_000 };
const KB = { ...H1, connections: 16, file: "1k", requests: 10_000 };

/** By the name that `--only` takes. The targets against nginx are those of the fastest native proxies. */
export const ROWS: Record<string, Load> = {
  "1k": {
    ...KB,
    name: "1 KB, HTTP/1.1",
    targets: [
      { stack: "nginx", ratio: 1.6 },
      { stack: "Caddy", ratio: 0.85 },
    ],
  },
  "1k-fresh": { ...KB, name: "1 KB, new heads", freshHeads: true, targets: [{ stack: "nginx", ratio: 1.6 }] },
  page: {
    ...H2,
    name: "page, HTTP/2",
    targets: [
      { stack: "nginx", ratio: 1.25 },
      { stack: "Caddy", ratio: 0.85 },
    ],
  },
  "page-fresh": {
    ...H2,
    name: "page, new heads",
    freshHeads: true,
    targets: [{ stack: "nginx", ratio: 1.25 }],
  },
  "page-h1": {
    ...H1,
    name: "page, HTTP/1.1",
    connections: 6,
    file: "20k",
    requests: 3_000,
    targets: [{ stack: "Caddy", ratio: 0.85 }],
  },
  "64k": { ...H1, name: "64 KB, HTTP/1.1", connections: 16, file: "64k", requests: 3_000 },
  "20m": {
    ...H1,
    name: "20 MB, HTTP/1.1",
    connections: 2,
    file: "20m",
    requests: 50,
    per: 50,
    unit: "s/GB",
    targets: [{ stack: "nginx", ratio: 0.43 }],
  },
};
