/** Named tokens: one for each user of the API, so that each can be revoked alone. */
import type { Env } from "../env.ts";
import { directory } from "../objects/directory-object.ts";
import type { Caller } from "./caller.ts";
import { readJson } from "./json-body.ts";
import { jsonResponse, noContent, textResponse } from "./responses.ts";

const TOKEN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export async function callTokenApi(
  request: Request,
  url: URL,
  caller: Extract<Caller, { ok: true }>,
  env: Env,
): Promise<Response | undefined> {
  if (caller.role !== "main") return textResponse(403, "Only WORKER_TOKEN itself may manage named tokens.");

  switch (`${request.method} ${url.pathname}`) {
    case "GET /linkup/v2/tokens":
      return jsonResponse({ tokens: await directory(env).listTokens() });
    case "POST /linkup/v2/tokens":
      return create(request, env);
  }
  const name = /^\/linkup\/v2\/tokens\/([^/]+)$/.exec(url.pathname)?.[1];
  if (name !== undefined && request.method === "DELETE") return revoke(name, env);
  return undefined;
}

async function create(request: Request, env: Env): Promise<Response> {
  const body = await readJson(request);
  if (!body.ok) return textResponse(body.status, body.reason);
  const name = (body.json as { name?: unknown } | null)?.name;
  if (typeof name !== "string" || !TOKEN_NAME.test(name))
    return textResponse(
      400,
      "name: must be 1 to 100 letters, digits or . _ -, and start with a letter or digit",
    );
  const token = await directory(env).createToken(name);
  return token === null
    ? textResponse(409, `The token "${name}" already exists.`)
    : jsonResponse({ name, token });
}

async function revoke(name: string, env: Env): Promise<Response> {
  // No character of the grammar is ever percent-encoded, so the path needs no decoding.
  const revoked = TOKEN_NAME.test(name) && (await directory(env).revokeToken(name));
  return revoked ? noContent() : textResponse(404, `There is no token "${name}".`);
}
