/** A real Firefox without a window, spoken to as WebDriver BiDi asks. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";

/** Undefined when this machine has none. */
export const FIREFOX = ["firefox-esr", "firefox"].map((name) => join("/usr/bin", name)).find(existsSync);
const START_MS = 60_000;

export type Bidi = (method: string, params: Record<string, unknown>) => Promise<unknown>;

export interface Firefox {
  bidi: Bidi;
  /** Its only tab. */
  context: string;
  close(): Promise<void>;
}

/** Starts it with this profile, a folder that exists, and makes no request of its own. */
export async function startFirefox(
  profile: string,
  preferences: Record<string, string | boolean> = {},
): Promise<Firefox> {
  if (!FIREFOX) throw new Error("There is no Firefox: apt-get install firefox-esr");
  const all = {
    "browser.shell.checkDefaultBrowser": false,
    "datareporting.policy.dataSubmissionEnabled": false,
    "app.update.enabled": false,
    "network.captive-portal-service.enabled": false,
    "network.connectivity-service.enabled": false,
    ...preferences,
  };
  const lines = Object.entries(all).map(([key, value]) => `user_pref("${key}", ${JSON.stringify(value)});\n`);
  writeFileSync(join(profile, "user.js"), lines.join(""));
  const child = spawn(
    FIREFOX,
    ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"],
    {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, MOZ_DISABLE_CONTENT_SANDBOX: "1" },
    },
  );
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const limit = setTimeout(kill, START_MS);
  const address = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stderr.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      const found = /WebDriver BiDi listening on (ws:\S+)/.exec(text);
      if (found) resolve(found[1]!);
    });
    child.once("exit", () => reject(new Error(`Firefox ended: ${text}`)));
  });
  clearTimeout(limit);
  const bidi = await connectBidi(`${address}/session`);
  await bidi("session.new", { capabilities: { alwaysMatch: { acceptInsecureCerts: false } } });
  const { contexts } = (await bidi("browsingContext.getTree", {})) as { contexts: { context: string }[] };
  return {
    bidi,
    context: contexts[0]!.context,
    async close() {
      process.off("exit", kill);
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}

async function connectBidi(address: string): Promise<Bidi> {
  const socket = new WebSocket(address);
  await once(socket, "open");
  let last = 0;
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  socket.on("message", (text) => {
    const { id, type, result, error, message } = JSON.parse(String(text));
    const call = waiting.get(id);
    waiting.delete(id);
    if (type === "error") call?.reject(new Error(`${error}: ${message}`));
    else call?.resolve(result);
  });
  return (method, params) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ id, method, params }));
    });
}
