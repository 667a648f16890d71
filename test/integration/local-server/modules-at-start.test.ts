/** What the local server loads of Node at its start: what few sessions need takes memory in all of them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newHome, startLocalServer } from "./harness.ts";

const TELLS = `process.on("exit", () => console.error("loaded: " + process.moduleLoadList.join("\\n")));`;

/** Of these, the modules that it has loaded when it ends. */
async function loaded(home: string): Promise<string[]> {
  const tells = join(home, "tells.cjs");
  writeFileSync(tells, TELLS);
  const env = { NODE_OPTIONS: `--require=${tells}` };
  const { control, ended, log } = await startLocalServer(undefined, { home, env });
  await control("POST", "/v1/stop");
  await ended;
  return ["http", "https", "http2", "tls"].filter((name) =>
    log().split("\n").includes(`NativeModule ${name}`),
  );
}

test("neither TLS nor HTTP/2", async () => {
  expect(await loaded(newHome())).toEqual(["http"]);
});

test("TLS where local DNS is installed: the first page would wait for it", async () => {
  const home = newHome();
  mkdirSync(join(home, "certificates"));
  writeFileSync(join(home, "certificates", "authority.crt.pem"), "");
  expect(await loaded(home)).toContain("tls");
});
