/** The rules of core/decide.ts, with the secrets that only this process knows. */
import { createHash, timingSafeEqual } from "node:crypto";
import { ORIGIN_SECRET_HEADER } from "../../core/routing/proxy-headers.ts";
import {
  type Listener,
  type RequestDecision as VerdictOn,
  decideRequest as verdictOn,
} from "../../core/routing/request-decision.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import type { Served, Sessions } from "../sessions.ts";

export type Verdict = VerdictOn<Served>;

export function decide(sessions: Sessions, listener: Listener, head: RequestHead): Verdict {
  return verdictOn(sessions, listener, head, hasSecret);
}

/** A Worker of the original mints no secret: then none is asked for. Hashes have one length, so time tells nothing. */
function hasSecret({ originSecret }: Served, head: RequestHead): boolean {
  if (originSecret === null) return true;
  return timingSafeEqual(sha256(head.header(ORIGIN_SECRET_HEADER) ?? ""), sha256(originSecret));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
