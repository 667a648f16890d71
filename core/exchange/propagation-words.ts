/** What a propagation check found, in sentences: for the terminal, the editor and Doctor. */
import { type Text, text } from "../text.ts";
import type { LostPropagation, ServicePropagation } from "./propagation.ts";

export function serviceSentence({ service, received, passedTo }: ServicePropagation): Text {
  const got = text("{0} got the session ({1} requests)", service, received);
  return passedTo.length === 0 ? got : text("{0}, passed it on to {1}", got, passedTo.join(", "));
}

export function lostSentence({ session, service, sender, request, count, how }: LostPropagation): Text {
  const who = service === null ? sender : text("{0} ({1})", service, sender);
  const what =
    session === null
      ? text("{0} sent requests without a session ({1}, such as {2})", who, count, request)
      : text("{0} lost the session {1} ({2}, such as {3})", who, session, count, request);
  return text("{0}: {1}", what, WHY[how]);
}

const WHY: Record<LostPropagation["how"], Text> = {
  "traceparent-only": text("it passes on traceparent, but not tracestate"),
  "invalid-member": text("its tracestate names no running session"),
  nothing: text("it passes on neither tracestate nor baggage"),
};

/** What helps, for the language that the sender's User-Agent tells. */
export function propagationHelp(sender: string): Text {
  return (
    HELP.find(([pattern]) => pattern.test(sender))?.[1] ??
    text("Pass on the headers traceparent and tracestate to every service that is called.")
  );
}

const HELP: [RegExp, Text][] = [
  [
    /^(?:node|undici|axios|got)\b/i,
    text("Node: start it with `node --import @opentelemetry/auto-instrumentations-node/register`"),
  ],
  [/^(?:python|aiohttp|httpx)/i, text("Python: start it with `opentelemetry-instrument`")],
  [
    /^(?:java|okhttp|apache-httpclient)/i,
    text("Java: start it with `-javaagent:opentelemetry-javaagent.jar`"),
  ],
  [/^go-http-client/i, text("Go: wrap the client's transport with `otelhttp.NewTransport`")],
  [/^ruby|faraday/i, text("Ruby: use `opentelemetry-instrumentation-all`")],
  [/^(?:guzzle|php)/i, text("PHP: use `open-telemetry/opentelemetry-auto-guzzle`")],
  [/^(?:\.net|dotnet|refit)/i, text(".NET: use `OpenTelemetry.Instrumentation.Http`")],
  [/^(?:reqwest|hyper)/i, text("Rust: use `reqwest-tracing` with `opentelemetry`")],
];
