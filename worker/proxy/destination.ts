/**
 * Whether a request's `linkup-destination` comes from an earlier hop of Linkup. From anyone else it would reach services
 * that have no public route.
 */
import { hmacSha256 } from "../../core/hmac.ts";
import {
  DESTINATION_PROOF_HEADER,
  destinationMessage,
  ORIGIN_SECRET_HEADER,
  withoutDestination,
} from "../../core/routing/proxy-headers.ts";
import type { RequestHead } from "../../core/routing/routing-input.ts";
import type { Env } from "../env.ts";
import { sameSecret } from "../secret.ts";
import type { SessionMatch } from "./session-lookup.ts";

/** The head to route by: without the destination, unless an earlier hop has set it. */
export async function headWithTrustedDestination(
  head: RequestHead,
  match: SessionMatch,
  env: Env,
): Promise<RequestHead> {
  return env.LINKUP_DESTINATION === "any" || (await isFromEarlierHop(head, match))
    ? head
    : withoutDestination(head);
}

async function isFromEarlierHop(head: RequestHead, { name, session }: SessionMatch): Promise<boolean> {
  const { tunnel } = session;
  if (!tunnel) return false;
  const secret = head.header(ORIGIN_SECRET_HEADER);
  if (secret && (await sameSecret(secret, tunnel.secret))) return true;
  const proof = head.header(DESTINATION_PROOF_HEADER);
  if (!proof) return false;
  const message = destinationMessage(name, head.header("linkup-destination")!);
  return sameSecret(proof, await hmacSha256(tunnel.secret, message));
}
