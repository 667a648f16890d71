/** The answers of Linkup itself, in a service's place: plain text for machines, a page for browsers. */

import type { Routing } from "../session/session-document.ts";
import { UNKNOWN_SESSION } from "./identify-session.ts";
import { type NotRouted, noTarget } from "./route-request.ts";

export interface ProxyFailure<Code extends string = string> {
  status: number;
  /** Stable, in the header `linkup-error`. */
  code: Code;
  /** The page's heading. */
  title: string;
  /** All that is to be said, with what to do next. */
  explanation: string;
}

export const unknownSession: ProxyFailure<"unknown-session"> = {
  status: 422,
  code: "unknown-session",
  title: "This address belongs to no running session",
  explanation: UNKNOWN_SESSION,
};

export function noTargetFor(name: string, routing: Routing, decision: NotRouted): ProxyFailure<"no-target"> {
  return {
    status: 404,
    code: "no-target",
    title: `The session ${name} has nothing at this address`,
    explanation: noTarget(name, routing, decision),
  };
}

export function loop(hops: number, host: string): ProxyFailure<"loop"> {
  return {
    status: 508,
    code: "loop",
    title: "This request goes round in circles",
    explanation: `Loop: this request has come through Linkup ${hops} times, the last time for ${host}.
A service's location leads back to Linkup. Give the service an address of its own, not one of the session's domains.
`,
  };
}

export const forbidden: ProxyFailure<"forbidden"> = {
  status: 403,
  code: "forbidden",
  title: "This request does not come through its session's Worker",
  explanation: `Linkup's tunnel listener refused this request: it does not carry the secret of its session.
Requests come here through the session's Worker, which adds it. Use the session's URL.
If that is what you did, restart the session: its secret may have changed.
`,
};

export function misdirected(host: string): ProxyFailure<"misdirected"> {
  const explanation = `Linkup's local server does not serve the host ${JSON.stringify(host)}: it belongs to no running session's domains.
It only answers for their hosts, so that no foreign page whose name leads here can read them.
Use a session's host name, or add the domain to linkup.yaml.
`;
  return { status: 421, code: "misdirected", title: "This host belongs to no running session", explanation };
}

/** The body and the headers (in lower case) for who sent this `Accept`. None of them is ever stored by a cache. */
export function failureContent(
  failure: ProxyFailure,
  accept: string | null | undefined,
): { headers: Record<string, string>; body: string } {
  const asPage = wantsPage(accept);
  const headers = {
    "content-type": `text/${asPage ? "html" : "plain"}; charset=utf-8`,
    "cache-control": "no-store",
    "linkup-error": failure.code,
    "x-robots-tag": "noindex",
    vary: "Accept",
  };
  if (!asPage) return { headers, body: failure.explanation };
  return {
    headers: { ...headers, "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'" },
    body: page(failure),
  };
}

/** Browsers say `text/html` when they show the answer, and not when a script or an image asks. */
function wantsPage(accept: string | null | undefined): boolean {
  return /\btext\/html\b/i.test(accept ?? "");
}

function page({ status, title, explanation }: ProxyFailure): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} · Linkup</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 46rem; margin: 12vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; line-height: 1.3; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 1rem; border-radius: .5rem; background: #8881; font-size: .875rem; }
small { opacity: .7; }
</style>
<h1>${escaped(title)}</h1>
<pre>${escaped(explanation)}</pre>
<small>Linkup · ${status}</small>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
