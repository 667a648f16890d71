// A server of Connect for Node.js, which speaks Connect, gRPC and gRPC-Web: over HTTP/1.1, or over HTTP/2 without TLS.
import { createServer } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Echo } from "./shop.mjs";

const handler = connectNodeAdapter({
  routes: (router) =>
    router.service(Echo, {
      say({ text }, context) {
        if (text === "refuse") throw new ConnectError("nö: 100 %", Code.FailedPrecondition);
        context.responseTrailer.set("x-sum", "7");
        return { text: `${text} ${context.requestHeader.get("x-forwarded-host")}` };
      },
      async *count({ text }) {
        for (let n = 1; n <= Number(text); n++) yield { text: String(n) };
      },
      async sum(words) {
        let sum = 0;
        for await (const { text } of words) sum += Number(text);
        return { text: String(sum) };
      },
      async *chat(words) {
        for await (const { text } of words) yield { text: text.toUpperCase() };
      },
    }),
});
if (process.argv[2] === "h2c") createHttp2(handler).listen(process.env.PORT, "localhost");
else createServer(handler).listen(process.env.PORT, "localhost");
