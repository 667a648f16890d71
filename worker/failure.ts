/** Why a request got no answer from a service: plain text for machines, a page for browsers. */
import { text } from "./answer.ts";

export interface Failure {
  status: number;
  /** Stable, in the header `linkup-error`. */
  code:
    | "malformed"
    | "unknown-session"
    | "no-target"
    | "no-tunnel"
    | "tunnel-down"
    | "service-unreachable"
    | "loop"
    | "worker-failed";
  /** The page's heading. */
  title: string;
  /** All that is to be said, with what to do next. */
  explanation: string;
}

export const NO_TUNNEL_SENTENCE =
  "This linkup session has no associated tunnel / was started with --no-tunnel";

export const ERROR_HEADER = "linkup-error";

export function failureResponse(failure: Failure, request: Request): Response {
  const headers = { [ERROR_HEADER]: failure.code, "x-robots-tag": "noindex", vary: "Accept" };
  if (!wantsPage(request)) return text(failure.status, failure.explanation, headers);
  return text(failure.status, page(failure), {
    ...headers,
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
  });
}

/** Browsers say `text/html` when they show the answer, and not when a script or an image asks. */
function wantsPage({ headers }: Request): boolean {
  return /\btext\/html\b/i.test(headers.get("accept") ?? "");
}

function page({ status, title, explanation }: Failure): string {
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
