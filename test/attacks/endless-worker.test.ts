import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../integration/manager/world.ts";
import { LIMIT_MS, Victim } from "./victim.ts";

/** What a command may take, kB: Node alone has some 60,000. */
const MOST_KB = 200_000;

let victim: Victim;
let worker: Server;
let sent: number;
beforeEach(async () => {
  victim = await Victim.create();
  sent = 0;
  const piece = Buffer.alloc(64 * 1024, "a");
  worker = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const more = () => {
      while (!response.destroyed) {
        sent += piece.length;
        if (!response.write(piece)) break;
      }
    };
    response.on("drain", more).on("error", () => {});
    more();
  });
  await new Promise<void>((listening) => worker.listen(0, "127.0.0.1", listening));
  const { port } = worker.address() as AddressInfo;
  victim.config({ workerUrl: `http://127.0.0.1:${port}`, linkup: "worker_token: own" });
});
afterEach(async () => {
  worker.closeAllConnections();
  worker.close();
  await victim[Symbol.asyncDispose]();
});

describe.skipIf(process.platform !== "linux")("a Worker that answers without end", () => {
  test.each([["start", "--detach"], ["health"], ["sessions", "delete", "x*", "--yes"]])(
    "takes neither memory nor time from linkup %s",
    async (...args) => {
      let most = 0;
      const child = victim.spawn(...args);
      await until(
        "its end",
        () => {
          if (child.exitCode !== null) return true;
          const [, kb] = /VmHWM:\s+(\d+)/.exec(statusOf(child.pid!)) ?? [];
          most = Math.max(most, Number(kb ?? 0));
          return false;
        },
        LIMIT_MS,
      );
      expect(sent).toBeGreaterThan(0);
      expect(most).toBeLessThan(MOST_KB);
    },
  );
});

/** Empty when the process is gone. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}
