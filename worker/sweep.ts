/** Deletes orphans. Sessions delete themselves by their alarms; the sweep finds what no alarm knows of. */
import { isSessionName } from "../core/session/session-name.ts";
import type { Env } from "./env.ts";
import { directory } from "./objects/directory-object.ts";
import { sessionObject } from "./objects/session-object.ts";
import { tunnelProvider } from "./tunnel/tunnels.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

export async function sweep(env: Env): Promise<void> {
  // Names whose session is gone, or was used later than the directory knows.
  for (const name of await directory(env).expiredBefore(Date.now() - DAY_MS)) {
    const session = sessionObject(name, env);
    await session.tidy();
    if (!(await session.inspect())) await directory(env).delete(name);
  }

  const deleted = await tunnelProvider(env).sweep(async (session, tunnelId) =>
    isSessionName(session) ? sessionObject(session, env).ownsTunnel(tunnelId) : true,
  );
  for (const description of deleted) console.log(`Deleted ${description}: it belonged to no session.`);
}
