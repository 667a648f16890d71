/**
 * Deletes orphans. Sessions delete themselves by their alarms; the sweep finds what no alarm knows of. What fails is
 * logged and keeps nothing else from its turn; of many, some are left to the next hour.
 */
import { isSessionName } from "../core/session/session-name.ts";
import type { Env } from "./env.ts";
import { directory } from "./objects/directory-object.ts";
import { sessionObject } from "./objects/session-object.ts";
import { tunnelRegistry } from "./objects/tunnel-registry.ts";
import { tunnelProvider } from "./tunnel/tunnels.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Of one sweep: each may delete a tunnel, which takes calls to Cloudflare's API. */
const MAX_SESSIONS = 50;

export async function sweep(env: Env): Promise<void> {
  await expireSessions(env);
  try {
    const { deleted, failed, left } = await tunnelProvider(env, tunnelRegistry(env)).sweep(
      async (session, tunnelId) =>
        isSessionName(session) && (await sessionObject(session, env).ownsTunnel(tunnelId)),
    );
    for (const what of deleted) console.log(`Sweep: deleted ${what}, which belonged to no session.`);
    for (const what of left) console.log(`Sweep: left ${what}`);
    for (const what of failed) console.error(`Sweep: could not delete ${what}`);
  } catch (error) {
    console.error(`Sweep of the tunnels: ${(error as Error).message}`);
  }
}

/** Names whose session is gone, or was used later than the directory knows. */
async function expireSessions(env: Env): Promise<void> {
  const names = await directory(env).expiredBefore(Date.now() - DAY_MS);
  // In any order, so that those that fail do not keep others from their turn.
  for (const name of names.sort(() => Math.random() - 0.5).slice(0, MAX_SESSIONS)) {
    try {
      const session = sessionObject(name, env);
      await session.tidy();
      if (!(await session.inspect())) await directory(env).delete(name);
    } catch (error) {
      console.error(`Sweep of the session ${name}: ${(error as Error).message}`);
    }
  }
}
