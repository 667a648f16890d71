/** Proves to the end-to-end probe of a tunnel that this local server has answered it. */
import { createHmac } from "node:crypto";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import {
  PROBE_HEADER,
  PROBE_PROOF_HEADER,
  probedSession,
  probeMessage,
} from "../../core/routing/tunnel-probe.ts";
import type { Sessions } from "../served-sessions.ts";

/** The header of the answer; none for requests that are no probe of a session here. */
export function probeProof(sessions: Sessions, head: RequestHead): [string, string][] {
  const header = head.header(PROBE_HEADER);
  const name = probedSession(header);
  const served = name === undefined ? undefined : sessions.get(name);
  if (!header || !served) return [];
  const key = served.session.session_token;
  return [[PROBE_PROOF_HEADER, createHmac("sha256", key).update(probeMessage(header)).digest("hex")]];
}
