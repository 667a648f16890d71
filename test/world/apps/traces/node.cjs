// A service with OpenTelemetry's SDK for JavaScript. It calls the next one by a host that names no session.
const { NodeSDK } = require("@opentelemetry/sdk-node");
const { HttpInstrumentation } = require("@opentelemetry/instrumentation-http");
const { UndiciInstrumentation } = require("@opentelemetry/instrumentation-undici");
const { InMemorySpanExporter, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace");

const spans = new InMemorySpanExporter();
new NodeSDK({
  spanProcessors: [new SimpleSpanProcessor({ exporter: spans })],
  instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()],
}).start();

const http = require("node:http");
const { text } = require("node:stream/consumers");

const clients = {
  fetch: async (url) => (await fetch(url)).text(),
  http: (url) =>
    new Promise((resolve, reject) => {
      http.get(url, (response) => resolve(text(response))).on("error", reject);
    }),
};

http
  .createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://x");
    if (pathname === "/spans") {
      response.end(JSON.stringify(spans.getFinishedSpans().map((span) => span.spanContext().traceId)));
    } else if (pathname === "/call") {
      response.end(await clients[searchParams.get("client")](searchParams.get("url")));
    } else response.end("traces");
  })
  .listen(process.env.PORT, "localhost");
