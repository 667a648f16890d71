/** Finds what got lost. Sessions delete themselves by their alarms: this is for what no alarm knows of. */
import { isSessionName } from "../core/session/session-name.ts";
import type { Env } from "./env.ts";
import { directory } from "./objects/directory-object.ts";
import { tunnelProvider } from "./tunnel/provider.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

export async function sweep(env: Env): Promise<void> {
  const sessions = (name: string) => env.SESSIONS.getByName(name);

  // Names whose session is gone, or used later than the directory knows.
  for (const name of await directory(env).expiredBefore(Date.now() - DAY_MS)) {
    await sessions(name).tidy();
    if (!(await sessions(name).inspect())) await directory(env).delete(name);
  }

  const deleted = await tunnelProvider(env).sweep(async (session, tunnelId) =>
    isSessionName(session) ? sessions(session).ownsTunnel(tunnelId) : true,
  );
  for (const what of deleted) console.log(`Deleted ${what}: it belonged to no session.`);
}
