/**
 * The proof in the trace headers of requests that begin on this machine, whose owner needs no other: with it the services' own
 * calls are let into a private session by the Worker.
 */
import { createHmac } from "node:crypto";
import { OWNER } from "../../core/access/access-cookie.ts";
import { hourOf, traceMessage, traceProofOf } from "../../core/access/trace-proof.ts";
import type { Listener } from "../../core/routing/request-decision.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import { accessProofs } from "../../core/routing/trace-context.ts";
import type { Served } from "../served-sessions.ts";

const proofs = new WeakMap<Served, { hour: number; proof: string }>();

/** Undefined where there is one already: it may be a guest's, which ends with the invite. */
export function ownerProof(
  served: Served,
  listener: Listener,
  head: Pick<RequestHead, "header">,
): string | undefined {
  const { name, traceKey } = served;
  if (traceKey === null || listener === "tunnel") return undefined;
  if (accessProofs(head.header("tracestate")).length > 0 || accessProofs(head.header("baggage")).length > 0)
    return undefined;
  const hour = hourOf(Date.now());
  const known = proofs.get(served);
  if (known?.hour === hour) return known.proof;
  const hmac = createHmac("sha256", traceKey)
    .update(traceMessage(name, OWNER, hour))
    .digest("hex");
  const proof = traceProofOf(OWNER, hmac);
  proofs.set(served, { hour, proof });
  return proof;
}
