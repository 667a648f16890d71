/**
 * A page's `Referrer-Policy` decides whether the requests it makes to other domains of its session say where they come
 * from. `no-referrer` (the default of Helmet) and `same-origin` (Django's) hide it from images, scripts, style sheets,
 * frames and forms, which then belong to no session.
 */
import type { Routing } from "../session/session-document.ts";

const LOOSENED = "strict-origin-when-cross-origin";
const POLICIES = [
  "no-referrer",
  "no-referrer-when-downgrade",
  "same-origin",
  "origin",
  "strict-origin",
  "origin-when-cross-origin",
  LOOSENED,
  "unsafe-url",
];

/** The policy to send instead of the service's, for sessions with several domains; undefined to leave it. */
export function loosenedReferrerPolicy(
  { domains }: Pick<Routing, "domains">,
  policy: string | null | undefined,
): string | undefined {
  if (!policy || domains.length < 2) return undefined;
  // Of a list the last known policy counts (Referrer Policy, 8.1).
  const effective = policy
    .split(",")
    .map((member) => member.trim().toLowerCase())
    .findLast((member) => POLICIES.includes(member));
  return effective === "no-referrer" || effective === "same-origin" ? LOOSENED : undefined;
}
