/** Who may use the API. */
import type { Env } from "./env.ts";
import { sameSecret } from "./secret.ts";

/** True when the request carries `Authorization: Bearer <worker token>`. */
export async function isAuthorized(request: Request, env: Env): Promise<boolean> {
  const given = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  return given !== undefined && Boolean(env.WORKER_TOKEN) && sameSecret(given, env.WORKER_TOKEN);
}
