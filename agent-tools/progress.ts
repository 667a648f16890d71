/** What a long call is waiting for. */
import type { Snapshot } from "../manager/model/snapshot.ts";
import type { AgentToolHost } from "./agent-tool.ts";

/** Tells the client what is waited for, until it is done. */
export async function withProgress<T>(host: AgentToolHost, what: string, work: Promise<T>): Promise<T> {
  if (!host.progress) return await work;
  let last = what;
  host.progress(what);
  const listening = host.manager.onDidChange((snapshot) => {
    const now = [what, waitedFor(snapshot)].filter(Boolean).join(": ");
    if (now !== last) host.progress?.(now);
    last = now;
  });
  try {
    return await work;
  } finally {
    listening.dispose();
  }
}

function waitedFor({ components }: Snapshot): string {
  const starting = components.filter(({ state }) => state === "starting");
  return starting.length > 0 ? `waiting for ${starting.map(({ id }) => id).join(", ")}` : "";
}
