/** What a request and its answer look like on the other side. */
import type { ClientRequest } from "node:http";
import type { ClientHttp2Stream } from "node:http2";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { protocols, raw, type TestClient } from "./clients.ts";
import { APP, type ProxiedRequest, type System, startSystem, until, WILD } from "./system.ts";

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterEach(() => {
  system.app.handler = undefined;
});
afterAll(() => system.stop());

/** Header lines with these names, as name and value, in their order. */
function lines(raw: string[], ...names: string[]): string[] {
  const found: string[] = [];
  for (let i = 0; i < raw.length; i += 2)
    if (names.includes(raw[i]!.toLowerCase())) found.push(`${raw[i]}: ${raw[i + 1]}`);
  return found;
}

describe.each(protocols)("%s", (protocol, connect) => {
  let client: TestClient;
  beforeAll(() => {
    client = connect(system);
  });
  afterAll(() => client.close());

  const ask = async (options: Parameters<TestClient["request"]>[0]): Promise<ProxiedRequest> => {
    const { status, body } = await client.request(options);
    expect(status).toBe(200);
    return JSON.parse(body.toString("latin1"));
  };

  test.each([
    "/",
    "//double//slashes//",
    "/a/../b/./c",
    "/%2F%2f/%41?q=%20+&&x=%zz",
    "/a;b=c/~user/$&'()*+,=:@!",
    "/?",
    "/a?b?c",
    '/["quoted"]|{curly}^`',
  ])("the path arrives byte for byte: %s", async (path) => {
    expect((await ask({ host: APP, path })).url).toBe(path);
  });

  test("a path of 8 KB arrives byte for byte", async () => {
    const path = `/${"long/".repeat(1600)}`;
    expect((await ask({ host: APP, path })).url).toBe(path);
  });

  test.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PURGE"])(
    "method %s",
    async (method) => {
      expect((await ask({ host: APP, method })).method).toBe(method);
    },
  );

  test.each([
    ["latin1", Buffer.from('attachment; filename="Bl\xe4tter.pdf"', "latin1")],
    ["UTF-8", Buffer.from('attachment; filename="葉.pdf"')],
  ])("a Content-Length before a Content-Disposition in %s", async (_charset, disposition) => {
    system.wild.script = (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Disposition: ");
      socket.end(Buffer.concat([disposition, Buffer.from("\r\n\r\nok")]));
    };
    const { status, get, body } = await client.request({ host: WILD });
    expect([status, body.toString()]).toEqual([200, "ok"]);
    expect(Buffer.from(get("content-disposition")!, "latin1")).toEqual(disposition);
  });

  test("duplicate request headers keep their number and order", async () => {
    const headers = ["X-Two", "one", "X-Other", "between", "X-Two", "two"];
    const { rawHeaders } = await ask({ host: APP, headers });
    const seen = lines(rawHeaders, "x-two", "x-other").map((line) => line.toLowerCase());
    expect(seen.filter((line) => line.startsWith("x-two"))).toEqual(["x-two: one", "x-two: two"]);
    if (protocol === "HTTP/1.1")
      expect(lines(rawHeaders, "x-two", "x-other")).toEqual(["X-Two: one", "X-Other: between", "X-Two: two"]);
  });

  test("duplicate response headers keep their number and order", async () => {
    system.wild.script = (socket) =>
      socket.end("HTTP/1.1 200 OK\r\nX-Two: one\r\nx-OTHER: b\r\nX-Two: two\r\nContent-Length: 0\r\n\r\n");
    const result = await client.request({ host: WILD });
    expect(result.all("x-two")).toEqual(["one", "two"]);
    if (protocol === "HTTP/1.1")
      expect(lines(result.raw, "x-two", "x-other")).toEqual(["X-Two: one", "x-OTHER: b", "X-Two: two"]);
  });

  test("a header that has one value and came twice does not break the answer", async () => {
    system.wild.script = (socket) =>
      socket.end(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok",
      );
    const result = await client.request({ host: WILD });
    expect(result.get("content-type")).toBe("text/plain");
    expect(result.all("set-cookie")).toEqual(["a=1", "b=2"]);
    expect(result.body.toString()).toBe("ok");
  });

  test("two Set-Cookie stay two", async () => {
    system.app.handler = (_request, response) => {
      response.setHeader("Set-Cookie", ["a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"]);
      response.end();
    };
    const { all } = await client.request({ host: APP });
    expect(all("set-cookie")).toEqual(["a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"]);
  });

  test("several Cookie lines become one, and one stays as it is", async () => {
    const several = await ask({ host: APP, headers: ["Cookie", "a=1", "Cookie", "b=2; c=3"] });
    expect(lines(several.rawHeaders, "cookie").map((line) => line.slice(8))).toEqual(["a=1; b=2; c=3"]);
    const joined = await ask({ host: APP, headers: ["Cookie", "a=1, b=2"] });
    expect(joined.headers.cookie).toBe("a=1; b=2");
  });

  test("bytes beyond ASCII in header values are kept", async () => {
    system.wild.script = (socket, head) => {
      const value = /x-bytes: (.*)\r\n/i.exec(head)![1];
      socket.end(Buffer.from(`HTTP/1.1 200 OK\r\nX-Bytes: ${value}\r\nContent-Length: 0\r\n\r\n`, "latin1"));
    };
    const value = "caf\u00e9";
    const { get } = await client.request({ host: WILD, headers: ["X-Bytes", value] });
    expect(get("x-bytes")).toBe(value);
  });

  test("a control character in a response header does not break the response", async () => {
    system.wild.script = (socket) =>
      socket.end(
        "HTTP/1.1 200 OK\r\nX-A: a\x01\x1b[1mb\x7f\r\nSet-Cookie: a=\x02b\r\nContent-Length: 2\r\n\r\nok",
      );
    const { status, get, body } = await client.request({ host: WILD });
    expect([status, get("x-a"), get("set-cookie"), String(body)]).toEqual([200, "a  [1mb", "a= b", "ok"]);
  });

  test.each([
    ["identity and a length", "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok"],
    ["identity until the connection's end", "Transfer-Encoding: Identity\r\n\r\nok"],
    ["identity before chunks", "Transfer-Encoding: identity, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
    [
      "chunk sizes of 20 digits",
      `Transfer-Encoding: chunked\r\n\r\n${"2".padStart(20, "0")}\r\nok\r\n${"0".repeat(20)}\r\n\r\n`,
    ],
  ])("a response of an old server: %s", async (_, text) => {
    system.wild.script = (socket) => socket.end(`HTTP/1.1 200 OK\r\n${text}`);
    const { status, body, complete } = await client.request({ host: WILD });
    expect([status, String(body), complete]).toEqual([200, "ok", true]);
  });

  test("headers of the connection end at the proxy, and so do those that Connection names", async () => {
    const connection =
      protocol === "HTTP/1.1"
        ? [
            "Connection",
            "keep-alive, X-Mine",
            "X-Mine",
            "1",
            "Keep-Alive",
            "timeout=9",
            "Proxy-Connection",
            "x",
          ]
        : [];
    const { rawHeaders } = await ask({
      host: APP,
      headers: [...connection, "TE", "trailers", "X-Kept", "1"],
    });
    expect(lines(rawHeaders, "x-mine", "keep-alive", "proxy-connection")).toEqual([]);
    expect(lines(rawHeaders, "x-kept")).toHaveLength(1);
    system.wild.script = (socket) =>
      socket.end(
        "HTTP/1.1 200 OK\r\nConnection: close, X-Theirs\r\nX-Theirs: 1\r\nKeep-Alive: timeout=7\r\nX-Kept: 1\r\nContent-Length: 0\r\n\r\n",
      );
    const result = await client.request({ host: WILD });
    expect(result.get("x-theirs")).toBeUndefined();
    expect(result.get("x-kept")).toBe("1");
    expect(result.get("keep-alive")).not.toBe("timeout=7");
  });

  test("204 and 304 have no body, and the connection goes on", async () => {
    for (const [status, header] of [
      [204, "X-A: b"],
      [204, "Content-Length: 5"],
      [304, "Content-Length: 512\r\nETag: x"],
    ]) {
      system.wild.script = (socket) => socket.end(`HTTP/1.1 ${status} Fine\r\n${header}\r\n\r\n`);
      const result = await client.request({ host: WILD });
      expect(result).toMatchObject({ status, complete: true });
      expect(result.body).toHaveLength(0);
      if (status === 204) expect(result.get("content-length")).toBeUndefined();
    }
  });

  test.each(["Content-Length: 2\r\nContent-Length: 2", "Content-Length: 2, 2"])(
    "a length that is said twice is passed on once: %j",
    async (lines) => {
      system.wild.script = (socket) => socket.end(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\nok`);
      const result = await client.request({ host: WILD });
      expect(result.all("content-length")).toEqual(["2"]);
      expect(result.body.toString()).toBe("ok");
    },
  );

  test("HEAD keeps the length and has no body", async () => {
    system.wild.script = (socket, head) => {
      expect(head).toMatch(/^HEAD /);
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    };
    const result = await client.request({ host: WILD, method: "HEAD" });
    expect(result).toMatchObject({ status: 200, complete: true });
    expect(result.get("content-length")).toBe("1000");
    expect(result.body).toHaveLength(0);
  });

  test("any status and a reason of one's own", async () => {
    system.wild.script = (socket) => socket.end("HTTP/1.1 299 Rather Fine\r\nContent-Length: 0\r\n\r\n");
    expect((await client.request({ host: WILD })).status).toBe(299);
    system.wild.script = (socket) => socket.end("HTTP/1.1 599\r\nContent-Length: 0\r\n\r\n");
    expect((await client.request({ host: WILD })).status).toBe(599);
  });

  test("redirects are not followed, and their location is untouched", async () => {
    system.app.handler = (_request, response) =>
      response.writeHead(302, { location: "http://localhost:1/else where" }).end("moved");
    const result = await client.request({ host: APP });
    expect(result.status).toBe(302);
    expect(result.get("location")).toBe("http://localhost:1/else where");
  });

  test("trailers of an answer", async () => {
    system.wild.script = (socket) =>
      socket.end(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\nX-Other: y\r\n\r\n",
      );
    const result = await client.request({ host: WILD });
    expect(result.body.toString()).toBe("abc");
    expect(result.trailers.map((text) => text.toLowerCase())).toEqual(["x-sum", "6", "x-other", "y"]);
    expect(result.get("trailer")).toBe("X-Sum");
  });

  test("trailers of an answer that come too late there: clients would refuse all of it", async () => {
    system.wild.script = (socket) =>
      socket.end(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nContent-Length: 3\r\nX-Sum: 6\r\ntransfer-encoding: chunked\r\n\r\n",
      );
    const { body, complete, trailers } = await client.request({ host: WILD });
    expect({ body: body.toString(), complete }).toEqual({ body: "abc", complete: true });
    expect(trailers.map((text) => text.toLowerCase())).toEqual(["x-sum", "6"]);
  });

  test("trailers of a request", async () => {
    if (protocol === "HTTP/1.1") {
      const answer = await raw(
        system.port,
        `POST / HTTP/1.1\r\nHost: ${APP}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n`,
      );
      const seen: ProxiedRequest = JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1));
      expect(seen).toMatchObject({ body: "abc", trailers: ["X-Sum", "6"] });
      return;
    }
    const sent = client.send({ host: APP, method: "POST", streaming: true, waitForTrailers: true });
    const stream = sent.body as ClientHttp2Stream;
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "6" }));
    stream.end("abc");
    const seen: ProxiedRequest = JSON.parse((await sent.result).body.toString());
    expect(seen).toMatchObject({ body: "abc", trailers: ["x-sum", "6"] });
  });

  test("an answer that ends with its connection", async () => {
    system.wild.script = (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nfirst ");
      setTimeout(() => socket.end("second"), 20);
    };
    const result = await client.request({ host: WILD });
    expect(result).toMatchObject({ status: 200, complete: true });
    expect(result.body.toString()).toBe("first second");
  });

  test("an answer of HTTP/1.0", async () => {
    system.wild.script = (socket) => socket.end("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold");
    expect((await client.request({ host: WILD })).body.toString()).toBe("old");
  });

  test("chunks that arrive byte by byte", async () => {
    const answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n000006\r\n world\r\n0\r\n\r\n";
    system.wild.script = (socket) => {
      let at = 0;
      const next = () => {
        if (at === answer.length) return socket.end();
        socket.write(answer[at++]!, () => setImmediate(next));
      };
      next();
    };
    const result = await client.request({ host: WILD });
    expect(result).toMatchObject({ complete: true });
    expect(result.body.toString()).toBe("hello world");
  });

  test("a compressed body is passed on as it is", async () => {
    const zipped = gzipSync("hello ".repeat(100));
    system.app.handler = (request, response) => {
      expect(request.headers["accept-encoding"]).toBe("gzip, br");
      response.writeHead(200, { "content-encoding": "gzip", "content-length": zipped.length }).end(zipped);
    };
    const { body, get } = await client.request({ host: APP, headers: ["Accept-Encoding", "gzip, br"] });
    expect(get("content-encoding")).toBe("gzip");
    expect(body.equals(zipped)).toBe(true);
  });

  test.each(["POST", "PUT", "PATCH", "GET", "DELETE", "OPTIONS"])(
    "%s with a body of known length",
    async (method) => {
      const seen = await ask({ host: APP, method, body: "some body" });
      expect(seen).toMatchObject({ method, body: "some body" });
      expect(seen.headers).toMatchObject({ "content-length": "9" });
      expect(seen.headers["transfer-encoding"]).toBeUndefined();
    },
  );

  test("an empty body of known length", async () => {
    const seen = await ask({ host: APP, method: "POST", body: "" });
    expect(seen).toMatchObject({ method: "POST", body: "" });
    expect(seen.headers).toMatchObject({ "content-length": "0" });
  });

  test("a request without a body gets none", async () => {
    const { headers } = await ask({ host: APP, method: "DELETE" });
    expect(headers["transfer-encoding"]).toBeUndefined();
  });

  test("a body of unknown length", async () => {
    const sent = client.send({ host: APP, method: "POST", streaming: true });
    sent.body.write("one ");
    sent.body.write("two ");
    sent.body.end("three");
    const seen: ProxiedRequest = JSON.parse((await sent.result).body.toString());
    expect(seen).toMatchObject({ body: "one two three" });
    expect(seen.headers["transfer-encoding"]).toBe("chunked");
  });

  test("Expect: 100-continue is for the service to answer: accepted", async () => {
    system.app.server.once("checkContinue", (request, response) => {
      response.writeContinue();
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => response.end(`got ${body}`));
    });
    const sent = client.send({
      host: APP,
      method: "POST",
      headers: ["Expect", "100-continue", "Content-Length", "4"],
      streaming: true,
    });
    if (protocol === "HTTP/1.1") (sent.body as ClientRequest).flushHeaders();
    await until(() => sent.informations.some(({ status }) => status === 100), "100 Continue came");
    sent.body.end("body");
    expect((await sent.result).body.toString()).toBe("got body");
  });

  test("Expect: 100-continue is for the service to answer: rejected", async () => {
    system.app.server.once("checkContinue", (_request, response) => {
      response.writeHead(417, { "content-length": 2 }).end("no");
    });
    const sent = client.send({
      host: APP,
      method: "POST",
      headers: ["Expect", "100-continue", "Content-Length", "4"],
      streaming: true,
    });
    if (protocol === "HTTP/1.1") (sent.body as ClientRequest).flushHeaders();
    const { status } = await sent.head;
    expect(status).toBe(417);
    expect(sent.informations).toEqual([]);
    sent.abort();
  });

  test("103 Early Hints come before the answer", async () => {
    system.wild.script = (socket) =>
      socket.end(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      );
    const sent = client.send({ host: WILD });
    expect((await sent.result).body.toString()).toBe("ok");
    expect(sent.informations.map(({ status }) => status)).toEqual([103]);
    expect(lines(sent.informations[0]!.raw, "link")).toHaveLength(1);
  });

  test.each([12, 40])("headers of %i KB both ways", async (size) => {
    const value = "x".repeat(size * 1024);
    system.app.handler = (request, response) => {
      response.setHeader("x-large", String(request.headers["x-large"]));
      response.end("ok");
    };
    const { status, get } = await client.request({ host: APP, headers: ["X-Large", value] });
    expect(status).toBe(200);
    expect(get("x-large") === value).toBe(true);
  });

  test("many headers of 100 KB together both ways", async () => {
    const names = Array.from({ length: 10 }, (_, i) => `x-large-${i}`);
    const value = "x".repeat(10 * 1024);
    system.app.handler = (request, response) => {
      for (const name of names) response.setHeader(name, String(request.headers[name]));
      response.end("ok");
    };
    const { status, get } = await client.request({
      host: APP,
      headers: names.flatMap((name) => [name, value]),
    });
    expect(status).toBe(200);
    expect(names.every((name) => get(name) === value)).toBe(true);
  });

  test("500 header lines both ways", async () => {
    const headers = Array.from({ length: 500 }, (_, i) => [`X-H${i}`, String(i)]).flat();
    const { rawHeaders } = await ask({ host: APP, headers });
    expect(rawHeaders.filter((name) => /^x-h\d+$/i.test(name))).toHaveLength(500);
    system.wild.script = (socket) =>
      socket.end(
        `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${Array.from({ length: 500 }, (_, i) => `X-H${i}: 1\r\n`).join("")}\r\n`,
      );
    const result = await client.request({ host: WILD });
    expect(result.raw.filter((name) => /^x-h\d+$/i.test(name))).toHaveLength(500);
  });

  test("headers beyond all measure are refused, not passed on", async () => {
    const headers = ["X-Large", "x".repeat(140 * 1024)];
    const status = await client.request({ host: APP, headers }).then(
      (result) => result.status,
      () => "refused",
    );
    expect([431, "refused"]).toContain(status);
    system.wild.script = (socket) =>
      socket.end(`HTTP/1.1 200 OK\r\nX-Large: ${"x".repeat(300 * 1024)}\r\nContent-Length: 0\r\n\r\n`);
    expect((await client.request({ host: WILD })).status).toBe(502);
  });
});

describe("HTTP/1.0 and HTTP/1.1 on the wire", () => {
  test("a client of HTTP/1.0 gets a plain body and the end of the connection", async () => {
    system.wild.script = (socket) =>
      socket.end(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
      );
    const answer = await raw(system.port, `GET / HTTP/1.0\r\nHost: ${WILD}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).not.toMatch(/chunked|Trailer/);
    expect(answer.endsWith("\r\n\r\nok")).toBe(true);
  });

  test("a client of HTTP/1.0 gets no 103", async () => {
    system.wild.script = (socket) =>
      socket.end("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    expect(await raw(system.port, `GET / HTTP/1.0\r\nHost: ${WILD}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test.each(["http", "HTTPS", "ws", "wss"])(
    "the target of a proxy request is taken apart: %s",
    async (scheme) => {
      const answer = await raw(
        system.port,
        `GET ${scheme}://${APP}/a?b HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toContain('"url":"/a?b"');
    },
  );

  test("pipelined requests are answered in their order", async () => {
    system.app.handler = (request, response) => {
      setTimeout(() => response.end(`answer to ${request.url}`), request.url === "/1" ? 100 : 0);
    };
    const get = (path: string, extra = "") => `GET ${path} HTTP/1.1\r\nHost: ${APP}\r\n${extra}\r\n`;
    const answer = await raw(system.port, get("/1") + get("/2") + get("/3", "Connection: close\r\n"));
    expect(answer.match(/answer to \/\d/g)).toEqual(["answer to /1", "answer to /2", "answer to /3"]);
  });

  test("one connection serves many requests", async () => {
    const before = system.app.connections;
    const get = `GET / HTTP/1.1\r\nHost: ${APP}\r\n\r\n`;
    const last = `GET / HTTP/1.1\r\nHost: ${APP}\r\nConnection: close\r\n\r\n`;
    const answer = await raw(system.port, get.repeat(5) + last);
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(6);
    expect(system.app.connections - before).toBeLessThanOrEqual(6);
  });
});
