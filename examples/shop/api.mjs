// api: answers the page by fetch and by WebSocket, and asks auth who the user is. Reached at api.shop.localhost.
import { setTimeout as sleep } from "node:timers/promises";
import { askAuth } from "./ask-auth.mjs";
import { acceptLive, closeLive, destroyLive } from "./live.mjs";
import { pathOf, sendJson, serve } from "./service.mjs";

/** Larger bodies are counted by /echo but not sent back. */
const ECHO_LIMIT_BYTES = 1024 * 1024;

/** Headers that Linkup adds or changes on the way here: whoami shows what arrived. */
const SHOWN_HEADERS = ["host", "x-forwarded-host", "tracestate", "traceparent", "linkup-destination"];

const answers = {
  "/whoami": async (request, response, copy) => {
    const headers = Object.fromEntries(SHOWN_HEADERS.map((name) => [name, request.headers[name] ?? null]));
    sendJson(response, 200, { service: "api", copy, auth: await askAuth(request.headers), headers });
  },

  "/echo": async (request, response, copy) => {
    const kept = [];
    let bytes = 0;
    for await (const chunk of request) {
      bytes += chunk.length;
      if (bytes <= ECHO_LIMIT_BYTES) kept.push(chunk);
    }
    const body = bytes <= ECHO_LIMIT_BYTES ? Buffer.concat(kept).toString("utf8") : null;
    const { method, url: path, headers, rawHeaders } = request;
    sendJson(response, 200, { service: "api", copy, method, path, headers, rawHeaders, bytes, body });
  },

  "/stream": async (_request, response, copy) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let n = 1; n <= 3 && !response.destroyed; n++) {
      response.write(`id: ${n}\ndata: ${JSON.stringify({ service: "api", copy, n })}\n\n`);
      await sleep(100);
    }
    response.end();
  },
};

serve(
  "api",
  (request, response, copy) => {
    const path = pathOf(request).replace(/^\/api(?=\/)/, "");
    if (Object.hasOwn(answers, path)) return answers[path](request, response, copy);
    sendJson(response, 404, { service: "api", copy, error: `api has no ${path}` });
  },
  { upgrade: acceptLive, stop: closeLive, destroy: destroyLive },
);
