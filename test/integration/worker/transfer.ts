/** Bodies, statuses and connections pass as they are: with the Worker on the user's machine and as it is deployed. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Internet } from "./internet.ts";
import { apiOf, oneService, type StartedService, send, startService, startWorker } from "./world.ts";

export function transferTests(mode: "direct" | "cloudflare"): void {
  let worker: Awaited<ReturnType<typeof startWorker>>;
  let service: StartedService;
  let internet: Internet;
  /** What the service does with the next requests to a path. */
  const handlers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();

  const HOST = { host: "transfer.example.com" };

  beforeAll(async () => {
    service = await startService("web", (request, response) => {
      const handler = handlers.get(new URL(request.url ?? "", "http://x").pathname);
      if (handler) handler(request, response);
      else response.writeHead(404).end();
    });
    internet = await new Internet().start();
    // To a deployed Worker every service is a host on the Internet.
    const [serve] = service.server.listeners("request") as [http.RequestListener];
    internet.hosts.set("web.example.org", serve as never);
    worker = mode === "direct" ? await startWorker() : await internet.startWorker();
    const created = await apiOf(worker.url)("POST", "/linkup/v2/sessions/preview", {
      ...oneService(mode === "direct" ? service.url : "http://web.example.org"),
      desired_name: "transfer",
    });
    expect([created.status, created.body]).toEqual([200, expect.anything()]);
  });
  afterAll(async () => {
    await worker.stop();
    await Promise.all([service.stop(), internet.stop()]);
  });

  /** A request whose body and answer the test drives itself. */
  function open(path: string, options: { method?: string; headers?: http.OutgoingHttpHeaders } = {}) {
    const { hostname, port } = new URL(worker.url);
    const { method = "GET", headers = {} } = options;
    return http.request({ hostname, port, path, method, headers: { ...HOST, ...headers }, agent: false });
  }

  /** Resident memory of the workerd process, in bytes. */
  function memory(): number {
    const status = readFileSync(`/proc/${worker.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
  }

  const MB = 1024 * 1024;
  const isLinux = process.platform === "linux";

  test("a status that JavaScript cannot pass on is told as the service's fault", async () => {
    handlers.set("/999", (_request, response) => response.writeHead(999).end());
    const { status, headers, body } = await send(worker.url, "/999", { headers: HOST });
    expect([status, headers["linkup-error"]]).toEqual([502, "service-unreachable"]);
    expect(body).toContain("the status 999");
  });

  test("a switch of protocols that nobody asked for is told as the service's fault", async () => {
    handlers.set("/101", ({ socket }) =>
      socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
    );
    const { status, headers } = await send(worker.url, "/101", { headers: HOST });
    expect([status, headers["linkup-error"]]).toEqual([502, "service-unreachable"]);
  });

  test("a redirect of the service to its own address stays in the session, unless it insists on that", async () => {
    const origin = mode === "direct" ? service.url : "http://web.example.org";
    const locations = { "/next?a": "/next?a", "/moved": `${origin}/moved` };
    for (const [path, expected] of Object.entries(locations)) {
      handlers.set("/moved", (_request, response) =>
        response.writeHead(301, { location: origin + path }).end(),
      );
      expect((await send(worker.url, "/moved", { headers: HOST })).headers.location).toBe(expected);
    }
  });

  describe("bodies stream", () => {
    test.runIf(isLinux)("an upload of 500 MB in flat memory", { timeout: 120_000 }, async () => {
      handlers.set("/upload", async (request, response) => {
        let size = 0;
        for await (const part of request) size += (part as Buffer).length;
        response.end(String(size));
      });
      const before = memory();
      let most = before;
      const request = open("/upload", { method: "POST", headers: { "content-length": 500 * MB } });
      const chunk = Buffer.alloc(MB);
      for (let i = 0; i < 500; i++) {
        if (!request.write(chunk)) await once(request, "drain");
        if (i % 10 === 0) most = Math.max(most, memory());
      }
      request.end();
      const [response] = (await once(request, "response")) as [IncomingMessage];
      const [body] = (await once(response, "data")) as [Buffer];
      expect(Number(body.toString())).toBe(500 * MB);
      expect((most - before) / MB).toBeLessThan(64);
    });

    test.runIf(isLinux)(
      "a download of 200 MB to a slow reader in flat memory",
      { timeout: 120_000 },
      async () => {
        let written = 0;
        handlers.set("/download", async (_, response) => {
          response.setHeader("content-length", 200 * MB);
          const chunk = Buffer.alloc(MB);
          for (; written < 200; written++) if (!response.write(chunk)) await once(response, "drain");
          response.end();
        });
        const before = memory();
        let [most, size] = [before, 0];
        const request = open("/download");
        request.end();
        const [response] = (await once(request, "response")) as [IncomingMessage];
        // The service sends until buffers are full: then nothing more is taken.
        for (let last = -1; written !== last; await sleep(100)) last = written;
        expect(written).toBeLessThan(200);
        for await (const part of response) {
          size += (part as Buffer).length;
          most = Math.max(most, memory());
        }
        expect(size).toBe(200 * MB);
        expect((most - before) / MB).toBeLessThan(64);
      },
    );

    test("server-sent events arrive when they are sent", async () => {
      let events: ServerResponse | undefined;
      handlers.set("/events", (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write("data: first\n\n");
        events = response;
      });
      const request = open("/events");
      request.end();
      const [response] = (await once(request, "response")) as [IncomingMessage];
      expect(response.headers["content-type"]).toBe("text/event-stream");
      const [first] = (await once(response, "data")) as [Buffer];
      expect(first.toString()).toBe("data: first\n\n");
      // The next one is sent only after the first has arrived.
      events!.write("data: second\n\n");
      const [second] = (await once(response, "data")) as [Buffer];
      expect(second.toString()).toBe("data: second\n\n");
      events!.end();
      response.resume();
      await once(response, "end");
    });

    test("an answer starts before the upload ends", async () => {
      handlers.set("/duplex", (request, response) => {
        request.once("data", (part) => {
          response.write(part);
          request.on("data", (next) => response.write(next));
          request.on("end", () => response.end());
        });
      });
      const request = open("/duplex", { method: "POST" });
      request.write("one");
      const [response] = (await once(request, "response")) as [IncomingMessage];
      const [one] = (await once(response, "data")) as [Buffer];
      request.end("two");
      const [two] = (await once(response, "data")) as [Buffer];
      expect([one.toString(), two.toString()]).toEqual(["one", "two"]);
    });

    test("a compressed body passes as it is, without being unpacked", async () => {
      const packed = gzipSync("hello ".repeat(1000));
      handlers.set("/gzip", (request, response) => {
        response.writeHead(200, {
          "content-encoding": "gzip",
          "content-type": "text/plain",
          "content-length": packed.length,
          "x-accepted": request.headers["accept-encoding"] ?? "",
        });
        response.end(packed);
      });
      const request = open("/gzip", { headers: { "accept-encoding": "gzip" } });
      request.end();
      const [response] = (await once(request, "response")) as [IncomingMessage];
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      expect(Buffer.concat(parts).equals(packed)).toBe(true);
      expect([response.headers["content-encoding"], response.headers["content-length"]]).toEqual([
        "gzip",
        String(packed.length),
      ]);
      expect(response.headers["x-accepted"]).toBe("gzip");
    });

    test("lengths are kept both ways, and what has none is chunked", async () => {
      handlers.set("/length", async (request, response) => {
        request.resume();
        await once(request, "end");
        const { "content-length": length, "transfer-encoding": encoding } = request.headers;
        response.end(JSON.stringify({ length, encoding }));
      });
      const known = await send(worker.url, "/length", {
        method: "POST",
        headers: { ...HOST, "content-length": "5" },
        body: "12345",
      });
      expect(JSON.parse(known.body)).toEqual({ length: "5" });
      expect(known.headers["content-length"]).toBe(String(known.body.length));

      const request = open("/length", { method: "POST", headers: { "transfer-encoding": "chunked" } });
      request.end("12345");
      const [response] = (await once(request, "response")) as [IncomingMessage];
      const [body] = (await once(response, "data")) as [Buffer];
      expect(JSON.parse(body.toString())).toEqual({ encoding: "chunked" });
    });
  });

  describe("answers without a body, and parts of one", () => {
    test("HEAD keeps the length of what GET would send", async () => {
      handlers.set("/head", (_, response) => {
        response.writeHead(200, { "content-length": "12345", etag: '"x"' });
        response.end();
      });
      const { status, headers, body } = await send(worker.url, "/head", { method: "HEAD", headers: HOST });
      expect([status, headers["content-length"], headers.etag, body]).toEqual([200, "12345", '"x"', ""]);
    });

    test.each([204, 304])("%i", async (status) => {
      handlers.set("/empty", (request, response) => {
        response.writeHead(status, { etag: '"x"', "x-asked": request.headers["if-none-match"] ?? "" }).end();
      });
      const answer = await send(worker.url, "/empty", { headers: { ...HOST, "if-none-match": '"x"' } });
      expect([answer.status, answer.headers.etag, answer.headers["x-asked"], answer.body]).toEqual([
        status,
        '"x"',
        '"x"',
        "",
      ]);
    });

    test("a range", async () => {
      handlers.set("/range", (request, response) => {
        expect(request.headers.range).toBe("bytes=2-4");
        response.writeHead(206, { "content-range": "bytes 2-4/10", "accept-ranges": "bytes" });
        response.end("cde");
      });
      const answer = await send(worker.url, "/range", { headers: { ...HOST, range: "bytes=2-4" } });
      expect([answer.status, answer.headers["content-range"], answer.body]).toEqual([
        206,
        "bytes 2-4/10",
        "cde",
      ]);
    });

    test("a body of GET and of DELETE is no error", async () => {
      handlers.set("/get", async (request, response) => {
        request.resume();
        await once(request, "end");
        response.end("fine");
      });
      for (const method of ["GET", "DELETE"]) {
        const headers = { ...HOST, "content-length": "4" };
        const answer = await send(worker.url, "/get", { method, headers, body: "body" });
        expect([method, answer.status, answer.body]).toEqual([method, 200, "fine"]);
      }
    });

    test("Expect: 100-continue is answered, and the body arrives", async () => {
      handlers.set("/expect", async (request, response) => {
        const parts: Buffer[] = [];
        for await (const part of request) parts.push(part as Buffer);
        response.end(`got ${Buffer.concat(parts)}`);
      });
      const request = open("/expect", {
        method: "POST",
        headers: { expect: "100-continue", "content-length": 4 },
      });
      const continued = once(request, "continue");
      request.flushHeaders();
      // A runtime may not say that it continues; a client then sends its body after a while.
      await Promise.race([continued, sleep(300)]);
      request.end("body");
      const [response] = (await once(request, "response")) as [IncomingMessage];
      const [body] = (await once(response, "data")) as [Buffer];
      expect([response.statusCode, body.toString()]).toEqual([200, "got body"]);
    });
  });

  describe("headers of one connection stay on it", () => {
    test("on the way to the service", async () => {
      let seen: string[] = [];
      handlers.set("/hop", (request, response) => {
        seen = request.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
        response.end();
      });
      await send(worker.url, "/hop", {
        headers: {
          ...HOST,
          connection: "keep-alive, x-mine",
          "keep-alive": "timeout=5",
          "x-mine": "1",
          "x-other": "1",
          te: "trailers",
          "proxy-authorization": "Basic x",
          "proxy-connection": "keep-alive",
          upgrade: "h2c",
        },
      });
      expect(seen).toContain("x-other");
      for (const name of ["x-mine", "keep-alive", "te", "proxy-authorization", "proxy-connection", "upgrade"])
        expect(seen).not.toContain(name);
    });

    test("on the way back", async () => {
      handlers.set("/hop", (_, response) => {
        response.writeHead(407, {
          connection: "keep-alive, x-mine",
          "keep-alive": "timeout=77",
          "x-mine": "1",
          "x-other": "1",
          "proxy-authenticate": "Basic",
        });
        response.end();
      });
      const { headers } = await send(worker.url, "/hop", { headers: HOST });
      expect(headers["x-other"]).toBe("1");
      for (const name of ["x-mine", "keep-alive", "proxy-authenticate"])
        expect(headers).not.toHaveProperty(name);
    });
  });

  test("cookies that need no change keep their bytes, also those that are no UTF-8", async () => {
    const cookies = ["a=caf\xe9; Path=/", "b=\xc3\xa9"];
    handlers.set("/cookies", (_, response) => response.writeHead(200, { "set-cookie": cookies }).end());
    const { headers } = await send(worker.url, "/cookies", { headers: HOST });
    expect(headers["set-cookie"]).toEqual(cookies);
  });

  describe("broken connections", () => {
    test("a client that goes away ends the request at the service, before and after the head", async () => {
      let open_ = 0;
      handlers.set("/hang", (_, response) => {
        open_++;
        response.on("close", () => open_--);
      });
      handlers.set("/stall", (_, response) => {
        open_++;
        response.on("close", () => open_--);
        response.write("begin");
      });
      const hanging = Array.from({ length: 20 }, () => open("/hang"));
      for (const request of hanging) request.on("error", () => {}).end();
      await expect.poll(() => open_).toBe(20);
      for (const request of hanging) request.socket!.resetAndDestroy();
      await expect.poll(() => open_).toBe(0);

      const stalling = Array.from({ length: 20 }, () => open("/stall"));
      const responses = stalling.map((request) => once(request, "response"));
      for (const request of stalling) request.end();
      for (const [response] of (await Promise.all(responses)) as [IncomingMessage][]) {
        response.on("error", () => {});
        await once(response, "data");
      }
      for (const request of stalling) request.socket!.resetAndDestroy();
      await expect.poll(() => open_).toBe(0);
    });

    test("an answer that breaks off is seen to be broken: with a length, and chunked", async () => {
      handlers.set("/cut", (request, response) => {
        response.writeHead(200, request.url?.includes("length") ? { "content-length": 1000 } : {});
        response.write("some");
        setTimeout(() => response.destroy(), 50);
      });
      for (const path of ["/cut?length", "/cut?chunked"]) {
        const request = open(path);
        request.on("error", () => {}).end();
        const [response] = (await once(request, "response")) as [IncomingMessage];
        const closed = new Promise((resolve) => response.once("close", resolve));
        response.on("error", () => {}).resume();
        await closed;
        expect([path, response.complete]).toEqual([path, false]);
      }
    });

    test.runIf(mode === "direct")(
      "a service that says nothing sensible, or closes at once: 502 with the reason",
      async () => {
        const garbage = net.createServer((socket) =>
          socket.on("error", () => {}).end("no http at all\r\n\r\n"),
        );
        const closing = net.createServer((socket) => socket.on("error", () => {}).destroy());
        for (const [name, server] of Object.entries({ garbage, closing })) {
          server.listen(0, "127.0.0.1");
          await once(server, "listening");
          const { port } = server.address() as net.AddressInfo;
          await apiOf(worker.url)("POST", "/linkup/v2/sessions/preview", {
            ...oneService(`http://127.0.0.1:${port}`),
            desired_name: name,
          });
          const answer = await send(worker.url, "/", { headers: { host: `${name}.example.com` } });
          expect([answer.status, answer.headers["linkup-error"]]).toEqual([502, "service-unreachable"]);
          expect(answer.body).toContain(`http://127.0.0.1:${port}`);
          server.close();
        }
      },
    );
  });
}
