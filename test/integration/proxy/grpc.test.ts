/** gRPC from a client of its own library, over TLS and HTTP/2, to a service that speaks HTTP/2 without TLS. */
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import type { AddressInfo, Server as NetServer } from "node:net";
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
  type StatusObject,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { APP, putSession, type System, startSystem, until } from "./system.ts";

const serialize = (text: string) => Buffer.from(text);
const deserialize = (bytes: Buffer) => bytes.toString();
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/shop.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
});
const ECHO: ServiceDefinition = {
  unary: method("Unary", false, false),
  upload: method("Upload", true, false),
  download: method("Download", false, true),
  chat: method("Chat", true, true),
};

let system: System;
let server: Server;
let port: number;
/** Calls that their client has cancelled, and those under way. */
let cancelled = 0;
let active = 0;

const originSecret = "secret-of-the-session";

beforeAll(async () => {
  system = await startSystem({ originSecret });
  server = new Server({ "grpc.max_receive_message_length": -1 });
  server.addService(ECHO, {
    unary(call: ServerUnaryCall<string, string>, reply: sendUnaryData<string>) {
      const { metadata } = call;
      if (call.request === "refuse") {
        const refusal = new Metadata();
        refusal.set("reason-bin", Buffer.from([0, 1, 255]));
        return reply({ code: status.FAILED_PRECONDITION, details: "nö: 100 %", metadata: refusal });
      }
      const seen = {
        session: metadata.get("tracestate")[0],
        host: metadata.get("x-forwarded-host")[0],
        asked: metadata.get("x-asked")[0],
        bytes: call.request.length,
      };
      const trailers = new Metadata();
      trailers.set("x-sum", "7");
      call.sendMetadata(new Metadata());
      reply(null, JSON.stringify(seen), trailers);
    },
    upload(call: ServerReadableStream<string, string>, reply: sendUnaryData<string>) {
      const parts: string[] = [];
      call.on("data", (part) => parts.push(part));
      call.on("end", () => reply(null, parts.join()));
    },
    download(call: ServerWritableStream<string, string>) {
      active++;
      call.on("close", () => active--);
      call.on("cancelled", () => cancelled++);
      if (call.request === "endless") {
        call.write("first");
        return;
      }
      const megabyte = "x".repeat(1 << 20);
      for (let i = 0; i < Number(call.request); i++) call.write(megabyte);
      call.end();
    },
    chat(call: ServerDuplexStream<string, string>) {
      call.on("data", (word) => call.write(`${word}!`));
      call.on("end", () => call.end());
    },
  });
  port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  await routeTo(`h2c://localhost:${port}`);
});
afterAll(async () => {
  server.forceShutdown();
  await system.stop();
});

const routeTo = (location: string) => putSession(system, { originSecret, services: { location } });

const clients: Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function connect(channel = credentials.createSsl(Buffer.from(system.ca))): Client {
  const client = new Client(
    `127.0.0.1:${system.port}`,
    channel,
    // What local DNS makes of the session's host name.
    { "grpc.ssl_target_name_override": APP, "grpc.default_authority": APP, "grpc.enable_retries": 0 },
  );
  clients.push(client);
  return client;
}

const paths = Object.fromEntries(Object.entries(ECHO).map(([name, { path }]) => [name, path]));

interface Reply {
  error: ServiceError | null;
  value: string | undefined;
  status: StatusObject;
}

function unary(request: string, metadata = new Metadata(), client = connect()): Promise<Reply> {
  return new Promise((resolve) => {
    let reply: Omit<Reply, "status">;
    const call = client.makeUnaryRequest(
      paths.unary!,
      serialize,
      deserialize,
      request,
      metadata,
      (error, value) => {
        reply = { error, value };
      },
    );
    call.on("status", (status) => setImmediate(() => resolve({ ...reply, status })));
  });
}

describe("through the local server", () => {
  test("a unary call, with its metadata and trailers, and the session for the next hop", async () => {
    const metadata = new Metadata();
    metadata.set("x-asked", "yes");
    const { error, value, status: ended } = await unary("hello", metadata);
    expect(error).toBeNull();
    expect(JSON.parse(value!)).toEqual({
      session: expect.stringContaining("linkup-session=slim-gecko"),
      host: APP,
      asked: "yes",
      bytes: 5,
    });
    expect(ended).toMatchObject({ code: status.OK });
    expect(ended.metadata.get("x-sum")).toEqual(["7"]);
  });

  test("a client without TLS", async () => {
    const { error } = await unary("hello", new Metadata(), connect(credentials.createInsecure()));
    expect(error).toBeNull();
  });

  test("what a Worker sends through the tunnel: HTTP/1.1 in, trailers out", async () => {
    const sent = httpRequest({
      port: system.server.status.tunnel_port,
      host: "127.0.0.1",
      method: "POST",
      path: paths.unary!,
      headers: {
        host: "tunnel.example.net",
        "x-forwarded-host": APP,
        tracestate: "linkup-session=slim-gecko",
        "linkup-destination": "app",
        "linkup-origin-secret": originSecret,
        "content-type": "application/grpc",
        te: "trailers",
      },
    });
    sent.end(Buffer.concat([Buffer.from([0, 0, 0, 0, 5]), Buffer.from("hello")]));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    expect(response.headers["content-type"]).toMatch(/^application\/grpc/);
    expect(JSON.parse(Buffer.concat(chunks).subarray(5).toString())).toMatchObject({ bytes: 5 });
    expect(response.trailers).toMatchObject({ "grpc-status": "0", "x-sum": "7" });
  });

  test("a status without a message, as the head of a response alone", async () => {
    const { error } = await unary("refuse");
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: "nö: 100 %" });
    expect(error?.metadata.get("reason-bin")).toEqual([Buffer.from([0, 1, 255])]);
  });

  test("a method that the service does not have", async () => {
    const error = await new Promise<ServiceError | null>((resolve) =>
      connect().makeUnaryRequest("/shop.Echo/None", serialize, deserialize, "", resolve),
    );
    expect(error?.code).toBe(status.UNIMPLEMENTED);
  });

  test("messages from the client as a stream", async () => {
    const value = await new Promise<string | undefined>((resolve, reject) => {
      const call = connect().makeClientStreamRequest(paths.upload!, serialize, deserialize, (error, value) =>
        error ? reject(error) : resolve(value),
      );
      for (const word of ["a", "b", "c"]) call.write(word);
      call.end();
    });
    expect(value).toBe("a,b,c");
  });

  test("40 MB from the service as a stream", async () => {
    const call = connect().makeServerStreamRequest(paths.download!, serialize, deserialize, "40");
    let bytes = 0;
    call.on("data", (part: string) => (bytes += part.length));
    const [ended] = (await once(call, "status")) as [StatusObject];
    expect(ended.code).toBe(status.OK);
    expect(bytes).toBe(40 << 20);
  });

  test("a conversation: each word is answered before the next one is sent", async () => {
    const call = connect().makeBidiStreamRequest(paths.chat!, serialize, deserialize);
    for (const word of ["one", "two", "three"]) {
      call.write(word);
      expect(await once(call, "data")).toEqual([`${word}!`]);
    }
    call.end();
    call.resume();
    const [ended] = (await once(call, "status")) as [StatusObject];
    expect(ended.code).toBe(status.OK);
  });

  test("a cancelled call ends at the service", async () => {
    const before = cancelled;
    const call = connect().makeServerStreamRequest(paths.download!, serialize, deserialize, "endless");
    call.on("error", () => {});
    await once(call, "data");
    call.cancel();
    await until(() => cancelled === before + 1 && active === 0, "the service knows of it");
  });

  test("a deadline", async () => {
    const call = connect().makeServerStreamRequest(
      paths.download!,
      serialize,
      deserialize,
      "endless",
      new Metadata(),
      { deadline: Date.now() + 300 },
    );
    call.resume();
    const [error] = (await once(call, "error")) as [ServiceError];
    expect(error.code).toBe(status.DEADLINE_EXCEEDED);
  });

  test("calls share one connection to the service, and a new one is made when it is restarted", async () => {
    const http2 = createHttp2();
    let connections = 0;
    http2.on("session", () => connections++);
    http2.on("stream", (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, 2]), Buffer.from("ok")]));
      stream.resume();
    });
    const own = await listening(http2);
    await routeTo(`h2c://127.0.0.1:${own}`);
    const replies = await Promise.all(Array.from({ length: 20 }, () => unary("hello")));
    expect(replies.map(({ value }) => value)).toEqual(Array(20).fill("ok"));
    expect(connections).toBe(1);
    http2.close();
    await routeTo(`h2c://localhost:${port}`);
    expect((await unary("hello")).error).toBeNull();
  });
});

describe("a service that speaks something else, said to a gRPC client", () => {
  afterEach(() => routeTo(`h2c://localhost:${port}`));

  test("HTTP/2 without TLS, configured as http: the error names h2c://", async () => {
    await routeTo(`http://localhost:${port}`);
    const { error } = await unary("hello");
    expect(error?.code).toBe(status.UNAVAILABLE);
    expect(error?.details).toContain(`write its location as h2c://localhost:${port} in linkup.yaml`);
  });

  test("the same for a plain request", async () => {
    await routeTo(`http://localhost:${port}`);
    const response = await fetch(`http://127.0.0.1:${system.port}/`, {
      headers: { "x-forwarded-host": APP, tracestate: "linkup-session=slim-gecko" },
    });
    expect(response.status).toBe(502);
    const text = await response.text();
    expect(text).toContain("it speaks HTTP/2 without TLS (h2c), not HTTP/1.1");
    expect(text).toContain(`h2c://localhost:${port}`);
  });

  test("HTTP/1.1, configured as h2c", async () => {
    const http1 = createServer((_, response) => response.end());
    const own = await listening(http1);
    await routeTo(`h2c://localhost:${own}`);
    const { error } = await unary("hello");
    expect(error?.code).toBe(status.UNAVAILABLE);
    expect(error?.details).toContain("it did not answer in HTTP/2");
    expect(error?.details).toContain(`http://localhost:${own}`);
    http1.close();
  });

  test("nothing listens", async () => {
    await routeTo("h2c://localhost:1");
    const { error } = await unary("hello");
    expect(error?.code).toBe(status.UNAVAILABLE);
    expect(error?.details).toContain("nothing listens on");
  });
});

async function listening(server: NetServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
