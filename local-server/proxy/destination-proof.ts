/**
 * `linkup-destination` names the service that an earlier hop chose. From anyone else it is ignored: it would reach services
 * that have no route. An earlier hop proves itself by an HMAC with the session's origin secret.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { destinationOf } from "../../core/routing/destination.ts";
import {
  DESTINATION_PROOF_HEADER,
  destinationMessage,
  withoutDestination,
} from "../../core/routing/proxy-headers.ts";
import type { Listener } from "../../core/routing/request-decision.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import type { Served } from "../served-sessions.ts";

const proofs = new WeakMap<Served, Map<string, string>>();

/** The proof for this value of `linkup-destination`. The session must have an origin secret. */
export function destinationProof(served: Served, destination: string): string {
  const known = proofs.get(served) ?? new Map<string, string>();
  proofs.set(served, known);
  const proof =
    known.get(destination) ??
    createHmac("sha256", served.originSecret!)
      .update(destinationMessage(served.name, destination))
      .digest("hex");
  known.set(destination, proof);
  return proof;
}

/** The head as routing may trust it: without a `linkup-destination` that no earlier hop of this session wrote. */
export function trustedHead<Head extends RequestHead>(
  listener: Listener,
  served: Served | undefined,
  head: Head,
): Head | RequestHead {
  const destination = head.header("linkup-destination");
  // Requests through the tunnel carry the origin secret: an earlier hop has routed them.
  if (!destination || listener === "tunnel") return head;
  return served && isProven(served, destination, head) ? head : withoutDestination(head);
}

function isProven(served: Served, destination: string, head: RequestHead): boolean {
  const proof = Buffer.from(head.header(DESTINATION_PROOF_HEADER) ?? "");
  const isService = served.session.services.some(({ name }) => destinationOf(name) === destination);
  if (served.originSecret === null || !isService) return false;
  const expected = Buffer.from(destinationProof(served, destination));
  return proof.length === expected.length && timingSafeEqual(proof, expected);
}
