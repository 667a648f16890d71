/** Named tokens: one for each user of the API, so that each can be revoked alone. */
import { directory } from "../objects/directory-object.ts";
import type { AuthenticatedCall } from "./authenticated-call.ts";
import { readJson } from "./json-body.ts";
import { jsonResponse, noContent, textResponse } from "./responses.ts";

export const TOKEN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export async function listTokens({ env }: AuthenticatedCall): Promise<Response> {
  return jsonResponse({ tokens: await directory(env).listTokens() });
}

export async function createToken({ request, env, actor }: AuthenticatedCall): Promise<Response> {
  const body = await readJson(request);
  if (!body.ok) return textResponse(body.status, body.reason);
  const name = (body.json as { name?: unknown } | null)?.name;
  if (typeof name !== "string" || !TOKEN_NAME.test(name))
    return textResponse(
      400,
      "name: must be 1 to 100 letters, digits or . _ -, and start with a letter or digit",
    );
  const token = await directory(env).createToken(name, actor);
  return token === null
    ? textResponse(409, `The token "${name}" already exists.`)
    : jsonResponse({ name, token });
}

export async function revokeToken({ env, actor }: AuthenticatedCall, name: string): Promise<Response> {
  // No character of the grammar is ever percent-encoded, so the path needs no decoding.
  const revoked = TOKEN_NAME.test(name) && (await directory(env).revokeToken(name, actor));
  return revoked ? noContent() : textResponse(404, `There is no token "${name}".`);
}
