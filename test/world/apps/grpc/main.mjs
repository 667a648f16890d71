// A gRPC server, without TLS as in development. `relay` asks another one for what it is asked.
import { promisify } from "node:util";
import { Client, credentials, Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { ECHO } from "./shop.mjs";

const server = new Server();
server.addService(ECHO, {
  async say({ request, metadata }, reply) {
    if (request === "refuse") return reply({ code: status.FAILED_PRECONDITION, details: "nö: 100 %" });
    const trailers = new Metadata();
    trailers.set("x-sum", "7");
    if (!request.startsWith("relay "))
      return reply(null, `hello ${metadata.get("x-forwarded-host")[0]}`, trailers);
    // The other one is asked by a host that names no session: tracestate does.
    const client = new Client(request.slice("relay ".length), credentials.createInsecure());
    const own = new Metadata();
    own.set("tracestate", metadata.get("tracestate")[0] ?? "");
    const { path, requestSerialize, responseDeserialize } = ECHO.say;
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, "hello", own, (error, answer) => {
      client.close();
      reply(error, answer && `relayed: ${answer}`);
    });
  },
  count(call) {
    for (let n = 1; n <= Number(call.request); n++) call.write(String(n));
    call.end();
  },
  sum(call, reply) {
    let sum = 0;
    call.on("data", (text) => (sum += Number(text)));
    call.on("end", () => reply(null, String(sum)));
  },
  chat(call) {
    call.on("data", (text) => call.write(text.toUpperCase()));
    call.on("end", () => call.end());
  },
});
await promisify(server.bindAsync).call(
  server,
  `localhost:${process.env.PORT}`,
  ServerCredentials.createInsecure(),
);
