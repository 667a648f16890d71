/** What becomes of a request: the service it goes to, or the answer it gets instead. */
import { createHash, timingSafeEqual } from "node:crypto";
import { ORIGIN_SECRET_HEADER } from "../../core/forward.ts";
import { UNKNOWN_SESSION } from "../../core/identify.ts";
import type { RequestHead } from "../../core/request.ts";
import { noTarget, type Routed, route } from "../../core/route.ts";
import type { Served, Sessions } from "../sessions.ts";
import { FORBIDDEN } from "./texts.ts";

export type Listener = "browser" | "tunnel";

export type Verdict =
  | { refused: false; served: Served; decision: Routed }
  | { refused: true; status: number; text: string };

export function decide(sessions: Sessions, listener: Listener, head: RequestHead): Verdict {
  const served = sessions.find(head);
  if (!served) return refuse(422, UNKNOWN_SESSION);
  if (listener === "tunnel" && !hasSecret(served, head)) return refuse(403, FORBIDDEN);
  const decision = route(served.name, served.session, head);
  if (decision.outcome === "no-target") return refuse(404, noTarget(served.name, served.session, decision));
  return { refused: false, served, decision };
}

function refuse(status: number, text: string): Verdict {
  return { refused: true, status, text };
}

/** A Worker of the original mints no secret: then none is asked for. Hashes have one length, so time tells nothing. */
function hasSecret({ originSecret }: Served, head: RequestHead): boolean {
  if (originSecret === null) return true;
  return timingSafeEqual(sha256(head.header(ORIGIN_SECRET_HEADER) ?? ""), sha256(originSecret));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
