// The questions of frameworks.test.ts, asked of Fastify with its own plugins for CORS and cookies.
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import cookie from "@fastify/cookie";
import cors from "@fastify/cors";
import fastify from "fastify";

const app = fastify();
await app.register(cors, { origin: true, credentials: true });
await app.register(cookie);
app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_, body, done) =>
  done(null, new URLSearchParams(body)),
);
let release = () => {};
app.get("/page", (_, reply) => reply.type("text/html").send("<p>served by fastify</p>"));
app.get("/asset", (request, reply) => {
  reply.header("etag", '"v1"');
  return request.headers["if-none-match"] === '"v1"'
    ? reply.code(304).send()
    : reply.send("x".repeat(10_000));
});
app.get("/redirect", (_, reply) => reply.redirect("/page"));
app.get("/redirect/absolute", (request, reply) =>
  reply.redirect(`${request.protocol}://${request.headers.host}/page`),
);
app.get("/cookies", (_, reply) =>
  reply
    .setCookie("plain", "1", { path: "/" })
    .setCookie("shared", "2", { domain: ".shop.test", sameSite: "lax" })
    .setCookie("dated", "3", { expires: new Date("2030-01-02T03:04:05Z"), httpOnly: true })
    .send("set"),
);
app.get("/cookie", (request) => request.headers.cookie ?? "");
app.get("/stream", (_, reply) => {
  const events = async function* () {
    yield "data: first\n\n";
    await Promise.race([new Promise((resolve) => (release = resolve)), sleep(20_000)]);
    yield "data: second\n\n";
  };
  return reply.type("text/event-stream").send(Readable.from(events()));
});
app.get("/release", () => {
  release();
  return "released";
});
app.post("/form", (request) => request.body.get("name"));
app.get("/json", () => ({ served: "fastify" }));
await app.listen({ port: Number(process.env.PORT), host: "localhost" });
