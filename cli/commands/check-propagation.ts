/** `linkup check-propagation` */
import { type LostPropagation, propagation } from "../../core/exchange/propagation.ts";
import { newManager } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { coloured, print, printJson, printNote } from "../print/output.ts";

const LIMIT = 100_000;

/** What helps, by what its User-Agent tells of the sender. */
const HELP: [RegExp, string][] = [
  [
    /^(?:node|undici|axios|got)\b/i,
    "Node: start it with `node --import @opentelemetry/auto-instrumentations-node/register`",
  ],
  [/^(?:python|aiohttp|httpx)/i, "Python: start it with `opentelemetry-instrument`"],
  [/^(?:java|okhttp|apache-httpclient)/i, "Java: start it with `-javaagent:opentelemetry-javaagent.jar`"],
  [/^go-http-client/i, "Go: wrap the client's transport with `otelhttp.NewTransport`"],
  [/^ruby|faraday/i, "Ruby: use `opentelemetry-instrumentation-all`"],
  [/^(?:guzzle|php)/i, "PHP: use `open-telemetry/opentelemetry-auto-guzzle`"],
];

export async function checkPropagation({ json }: { json?: boolean }): Promise<void> {
  const found = propagation(await newManager({ keep: false }).requestLog.requests({ limit: LIMIT }));
  if (found.lost.length > 0) process.exitCode = EXIT.unhealthy;
  if (json) return printJson(found);
  if (found.services.length + found.lost.length === 0)
    return printNote("No request has come yet: use the session, then check again.\n");
  for (const { service, received, passedTo } of found.services) {
    const passed = passedTo.length > 0 ? `, passed it on to ${passedTo.join(", ")}` : "";
    print(`${coloured("green", "✓")} ${service} got the session (${received} requests)${passed}\n`);
  }
  for (const lost of found.lost) print(`${coloured("red", "✗")} ${lostText(lost)}`);
}

function lostText({ session, sender, request, count, how }: LostPropagation): string {
  const what = session === null ? "sent requests without a session" : `lost the session ${session}`;
  const why = {
    "traceparent-only": "it passes on traceparent, but not tracestate",
    "invalid-member": "its tracestate names no running session",
    nothing: "it passes on neither tracestate nor baggage",
  }[how];
  const help =
    HELP.find(([pattern]) => pattern.test(sender))?.[1] ?? "pass on the headers traceparent and tracestate";
  return `${sender} ${what} (${count}, such as ${request}): ${why}\n    ${help}\n`;
}
