import type { Env } from "../env.ts";
import type { Actor } from "../objects/owner.ts";

/** An API call of an authenticated caller. */
export interface AuthenticatedCall {
  request: Request;
  url: URL;
  env: Env;
  actor: Actor;
}
