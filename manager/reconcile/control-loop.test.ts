import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ServerStatus } from "../../core/api/control-api.ts";
import { ControlLoop } from "./control-loop.ts";

test("a window whose state cannot be used holds its lease: its sessions are not ended when it can be used again", async () => {
  const home = mkdtempSync(join(tmpdir(), "linkup-loop-"));
  mkdirSync(join(home, "state.json"));
  const user = { id: "window", keep: false, files: () => ["/shop/linkup.yaml"] };
  const loop = new ControlLoop({ home, dist: home, version: "1", env: {}, user, log: () => {} });
  const { control } = loop.reconciler.localServer;
  const leases: unknown[] = [];
  control.status = async () => ({ leases: [] }) as unknown as ServerStatus;
  control.putLease = async (id, { files }) => leases.push([id, files]) > 0;
  loop.watcher.start();
  try {
    await expect.poll(() => leases).toEqual([["window", ["/shop/linkup.yaml"]]]);
    expect(loop.observer.snapshot.problems).toMatchObject([{ code: "state-unusable" }]);
  } finally {
    await loop.watcher.stop();
    rmSync(home, { recursive: true });
  }
});
