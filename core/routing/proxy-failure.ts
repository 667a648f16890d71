/** Linkup's own responses in place of a service's: plain text for programs, a page for browsers. */

import type { Routing } from "../session/session-document.ts";
import { FAILURE_HEADER } from "./own-failure.ts";
import { MAX_PATH, type NotRouted } from "./route-request.ts";

export interface ProxyFailure<Code extends string = string> {
  status: number;
  /** Stable; sent in the header `linkup-error`. */
  code: Code;
  /** The page's heading. */
  title: string;
  /** What happened and what to do: the text for programs, and the body of the page. */
  explanation: string;
}

export const unknownSession: ProxyFailure<"unknown-session"> = {
  status: 422,
  code: "unknown-session",
  title: "This address belongs to no running session",
  // The first sentence is part of the original Linkup's contract.
  explanation: `Linkup was unable to determine the session origin of the request.
Give the request one of these, with the name of a running session (here: slim-gecko):
  - the session's host name:        https://slim-gecko.example.com/
  - an x-forwarded-host header:     x-forwarded-host: slim-gecko.example.com
  - a Referer header:               Referer: https://slim-gecko.example.com/
  - an Origin header:               Origin: https://slim-gecko.example.com
  - a tracestate header:            tracestate: linkup-session=slim-gecko
  - a baggage header:               baggage: linkup-session=slim-gecko
A service that calls another one must forward the tracestate or baggage header of the request it is serving.
`,
};

export function noTarget(name: string, routing: Routing, decision: NotRouted): ProxyFailure<"no-target"> {
  const asked = decision.hosts.map(({ host, source }) => `${host} (${source})`).join(", ");
  const domains = routing.domains.map(({ domain }) => domain).join(", ");
  return {
    status: 404,
    code: "no-target",
    title: `The session ${name} has no service for this address`,
    // The first sentence is part of the original Linkup's contract.
    explanation: `The request belonged to a session, but there was no target for the request.
Session: ${name}
Hosts of the request: ${asked}
Domains of the session: ${domains}
Use one of these domains, or add the host to the domains in linkup.yaml.
`,
  };
}

export const pathTooLong: ProxyFailure<"path-too-long"> = {
  status: 414,
  code: "path-too-long",
  title: "The path of this request is too long",
  explanation: `The path of the request has more than ${MAX_PATH} characters, so the routes of linkup.yaml cannot be applied to it.
Put long values into the query or the body.
`,
};

export function loop(hops: number, host: string): ProxyFailure<"loop"> {
  return {
    status: 508,
    code: "loop",
    title: "Request loop detected",
    explanation: `This request has passed Linkup ${hops} times, most recently for ${host}.
The URL of a service leads back to Linkup. Set the service's own address in linkup.yaml, not one of the session's domains.
`,
  };
}

export const forbidden: ProxyFailure<"forbidden"> = {
  status: 403,
  code: "forbidden",
  title: "This request did not come through its session's Worker",
  explanation: `Linkup's tunnel listener refused this request, because it does not carry the secret of its session.
The session's Worker adds that secret. Use the session's URL.
If you did, restart the session: its secret may have changed.
`,
};

export function misdirected(host: string): ProxyFailure<"misdirected"> {
  const explanation = `Linkup's local server does not serve the host ${JSON.stringify(host)}: it is below no domain of a running session.
This protects against DNS rebinding.
Use a session's host name, or add the domain to linkup.yaml.
`;
  return { status: 421, code: "misdirected", title: "This host belongs to no running session", explanation };
}

/** The body and the headers (in lower case) for a client with this `Accept`. No cache stores them. */
export function failureContent(
  failure: ProxyFailure,
  accept: string | null | undefined,
): { headers: Record<string, string>; body: string } {
  const asPage = wantsPage(accept);
  const headers = {
    "content-type": `text/${asPage ? "html" : "plain"}; charset=utf-8`,
    "cache-control": "no-store",
    [FAILURE_HEADER]: failure.code,
    "x-robots-tag": "noindex",
    vary: "Accept",
  };
  if (!asPage) return { headers, body: failure.explanation };
  return {
    headers: { ...headers, "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'" },
    body: page(failure),
  };
}

/** Browsers accept `text/html` when they show the response, and not for a script or an image. */
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
:root { color-scheme: light dark; background: #fff; color: #1b1b1b; }
@media (prefers-color-scheme: dark) { :root { background: #1b1b1b; color: #eee; } }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 46rem; margin: 12vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; line-height: 1.3; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 1rem; border-radius: .5rem; background: #8881; font-size: .875rem; }
small { color: inherit; }
</style>
<main>
<h1>${escaped(title)}</h1>
<pre>${escaped(explanation)}</pre>
<small>Linkup · ${status}</small>
</main>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
