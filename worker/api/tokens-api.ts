/** Named tokens: for each user of the API one of their own, that can be revoked without changing everybody's. */

import type { Env } from "../env.ts";
import { directory } from "../objects/directory-object.ts";
import { json, nothing, text } from "./answer.ts";
import type { Caller } from "./auth.ts";
import { readJson } from "./body.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export async function callTokensApi(
  request: Request,
  url: URL,
  caller: Extract<Caller, { ok: true }>,
  env: Env,
): Promise<Response | undefined> {
  if (caller.role !== "owner") return text(403, "Only WORKER_TOKEN itself may manage the named tokens.");

  switch (`${request.method} ${url.pathname}`) {
    case "GET /linkup/v2/tokens":
      return json({ tokens: await directory(env).listTokens() });
    case "POST /linkup/v2/tokens":
      return create(request, env);
  }
  const name = /^\/linkup\/v2\/tokens\/([^/]+)$/.exec(url.pathname)?.[1];
  if (name !== undefined && request.method === "DELETE") return revoke(name, env);
  return undefined;
}

async function create(request: Request, env: Env): Promise<Response> {
  const body = await readJson(request);
  if (!body.ok) return text(body.status, body.reason);
  const name = (body.json as { name?: unknown } | null)?.name;
  if (typeof name !== "string" || !NAME.test(name))
    return text(400, "name: must be 1 to 100 letters, digits or . _ -, and begin with a letter or digit");
  const token = await directory(env).createToken(name);
  return token === null ? text(409, `There is a token "${name}" already.`) : json({ name, token });
}

async function revoke(name: string, env: Env): Promise<Response> {
  // The path has only characters of the grammar, so it needs no decoding.
  const revoked = NAME.test(name) && (await directory(env).revokeToken(name));
  return revoked ? nothing() : text(404, `There is no token "${name}".`);
}
