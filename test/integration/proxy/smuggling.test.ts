/**
 * Requests that two readers could split differently. A proxy that is the first of the two must refuse them
 * or write them anew so that there is one way to read them. The service here believes whatever it gets.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectHttp2, raw, rawSocket } from "./clients.ts";
import { type System, startSystem, until, WILD } from "./system.ts";

let system: System;
/** All that the service has received. */
let received = "";
beforeAll(async () => {
  system = await startSystem();
  system.wild.script = (socket, head, rest) => {
    received += head + rest.toString("latin1");
    socket.on("data", (chunk) => (received += chunk.toString("latin1")));
    socket.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
  };
});
afterAll(() => system.stop());

const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
const send = (head: string, rest = "") => {
  received = "";
  return raw(system.port, `POST /seen HTTP/1.1\r\nHost: ${WILD}\r\nConnection: close\r\n${head}\r\n${rest}`);
};

describe("HTTP/1.1: refused before anything reaches the service", () => {
  test.each([
    ["length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["chunks and length", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", `0\r\n\r\n${HIDDEN}`],
    ["two lengths", "Content-Length: 0\r\nContent-Length: 37\r\n", HIDDEN],
    ["two equal lengths", "Content-Length: 2\r\nContent-Length: 2\r\n", "ab"],
    ["a list of lengths", "Content-Length: 0, 37\r\n", HIDDEN],
    ["a negative length", "Content-Length: -1\r\n", HIDDEN],
    ["a length with a sign", "Content-Length: +5\r\n", "hello"],
    ["a hexadecimal length", "Content-Length: 0x5\r\n", "hello"],
    ["a length beyond all numbers", "Content-Length: 99999999999999999999\r\n", ""],
    ["chunks that are not the last coding", "Transfer-Encoding: chunked, identity\r\n", `0\r\n\r\n${HIDDEN}`],
    ["a coding before the chunks", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"],
    ["an unknown coding", "Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["a space before the colon", "Transfer-Encoding : chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["a line that ends with LF alone", "X: y\nContent-Length: 37\r\n", HIDDEN],
    ["a CR in a value", "X: y\rContent-Length: 37\r\n", HIDDEN],
    ["a zero byte in a value", "X: a\0b\r\n", ""],
    ["a header without a name", ": chunked\r\n", ""],
    ["another Host", "Host: evil.example\r\n", ""],
    ["the same Host again", `Host: ${WILD}\r\n`, ""],
    ["an invalid chunk size", "Transfer-Encoding: chunked\r\n", "zz\r\nabc\r\n0\r\n\r\n"],
    ["a chunk size with a sign", "Transfer-Encoding: chunked\r\n", "+3\r\nabc\r\n0\r\n\r\n"],
    ["a chunk size with 0x", "Transfer-Encoding: chunked\r\n", "0x3\r\nabc\r\n0\r\n\r\n"],
    [
      "a chunk size beyond all numbers",
      "Transfer-Encoding: chunked\r\n",
      "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    ],
    ["a chunk longer than its size", "Transfer-Encoding: chunked\r\n", "1\r\nabc\r\n0\r\n\r\n"],
    ["chunk lines that end with LF alone", "Transfer-Encoding: chunked\r\n", "3\nabc\n0\n\n"],
    ["a length with spaces within", "Content-Length: 3 7\r\n", HIDDEN],
    ["a length with a unit", "Content-Length: 37b\r\n", HIDDEN],
    ["a length with an underscore", "Content-Length: 3_7\r\n", HIDDEN],
    ["a length with a comma", "Content-Length: 37,\r\n", HIDDEN],
    ["an empty length", "Content-Length:\r\n", HIDDEN],
    ["a length behind a vertical tab", "Content-Length: \x0b37\r\n", HIDDEN],
    ["a length before a no-break space", "Content-Length: 37\xa0\r\n", HIDDEN],
    ["no coding", "Transfer-Encoding:\r\n", `0\r\n\r\n${HIDDEN}`],
    ["the coding that is none", "Transfer-Encoding: identity\r\n", `0\r\n\r\n${HIDDEN}`],
    ["chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"],
    ["chunks within others", "Transfer-Encoding: identity, chunked, identity\r\n", "0\r\n\r\n"],
    [
      "another coding in a line before",
      "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n",
      "0\r\n\r\n",
    ],
    ["a coding in quotes", 'Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n"],
    ["a coding in apostrophes", "Transfer-Encoding: 'chunked'\r\n", "0\r\n\r\n"],
    ["a coding with a parameter", "Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"],
    ["a part of the coding", "Transfer-Encoding: chunk\r\n", "0\r\n\r\n"],
    ["a coding behind a vertical tab", "Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"],
    ["a coding before a form feed", "Transfer-Encoding: chunked\x0c\r\n", "0\r\n\r\n"],
    ["a coding before a DEL", "Transfer-Encoding: chunked\x7f\r\n", "0\r\n\r\n"],
    ["a coding before a no-break space", "Transfer-Encoding: chunked\xa0\r\n", "0\r\n\r\n"],
    ["a coding before a CR", "Transfer-Encoding: chunked\r\r\n", "0\r\n\r\n"],
    ["a name before a byte beyond ASCII", "Transfer-Encoding\xff: chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["a name with a backslash", "Transfer\\Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["a name with a space", "Transfer Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["a name with a CR", "Tra\rnsfer-Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["a word before the colon", "Transfer-Encoding x: chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["a name in a folded line", "X: y\r\n Transfer-Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["a name in a line folded by a tab", "X: y\r\n\tTransfer-Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["a folded coding", "Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"],
    ["a coding folded by LF", "Transfer-Encoding:\n chunked\r\n", "0\r\n\r\n"],
    ["a colon in the next line", "Transfer-Encoding\r\n : chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["a line that begins with a CR", "X: y\r\n\rTransfer-Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["a line without a colon", "Transfer-Encoding chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["an empty line of LFs in the head", "X: y\n\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`],
    ["an empty chunk size", "Transfer-Encoding: chunked\r\n", `\r\n${HIDDEN}`],
    ["a negative chunk size", "Transfer-Encoding: chunked\r\n", "-3\r\nabc\r\n0\r\n\r\n"],
    ["a chunk size with an underscore", "Transfer-Encoding: chunked\r\n", "0_3\r\nabc\r\n0\r\n\r\n"],
    ["a chunk size behind a space", "Transfer-Encoding: chunked\r\n", " 3\r\nabc\r\n0\r\n\r\n"],
    ["a word behind a chunk size", "Transfer-Encoding: chunked\r\n", "3 x\r\nabc\r\n0\r\n\r\n"],
    ["a chunk extension without a name", "Transfer-Encoding: chunked\r\n", "3;\r\nabc\r\n0\r\n\r\n"],
    ["a LF in a chunk extension", "Transfer-Encoding: chunked\r\n", "3;a\nxx\r\nabc\r\n0\r\n\r\n"],
    ["a CR in a chunk extension", "Transfer-Encoding: chunked\r\n", "3;a\rxx\r\nabc\r\n0\r\n\r\n"],
    ["an extension with an open quote", "Transfer-Encoding: chunked\r\n", '3;a="b\r\nabc\r\n0\r\n\r\n'],
    ["bytes instead of a chunk's end", "Transfer-Encoding: chunked\r\n", `3\r\nabcXX0\r\n\r\n${HIDDEN}`],
    ["a chunk's end of LF alone", "Transfer-Encoding: chunked\r\n", "3\r\nabc\n0\r\n\r\n"],
    ["a chunk's end of CR alone", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r0\r\n\r\n"],
    ["a length as a trailer", "Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 37\r\n\r\n"],
    ["a host as a trailer", "Transfer-Encoding: chunked\r\n", "0\r\nHost: evil.example\r\n\r\n"],
    ["a folded trailer", "Transfer-Encoding: chunked\r\n", "0\r\nX: y\r\n z\r\n\r\n"],
    ["a trailer without a colon", "Transfer-Encoding: chunked\r\n", `0\r\n${HIDDEN}`],
    ["a LF in the trailers", "Transfer-Encoding: chunked\r\n", "0\r\nX: y\nZ: a\r\n\r\n"],
  ])("%s", async (_what, head, rest) => {
    const answer = await send(head, rest);
    expect(answer).not.toMatch(/HTTP\/1\.1 2\d\d/);
    expect(answer).not.toContain("\r\n\r\nok");
    expect(received).not.toContain("hidden");
    // A chunked request may have been passed on before its body turned out bad: then it must have stayed unfinished.
    expect(received).not.toContain("0\r\n\r\n");
    if (!head.includes("Transfer-Encoding: chunked\r\n") || /length/i.test(head)) expect(received).toBe("");
  });

  test.each([
    ["a method with a space", "GE T / HTTP/1.1"],
    ["no version", "GET /"],
    ["another version", "GET / HTTP/3.0"],
    ["a tab", "GET\t/ HTTP/1.1"],
    ["CONNECT", "CONNECT evil.example:443 HTTP/1.1"],
    ["two spaces", "GET  / HTTP/1.1"],
    ["a space at its beginning", " GET / HTTP/1.1"],
    ["a space at its end", "GET / HTTP/1.1 "],
    ["a target with a space", "GET /a b HTTP/1.1"],
    ["a target with a zero byte", "GET /\0 HTTP/1.1"],
    ["a target with a CR", "GET /\rX: y HTTP/1.1"],
    ["a folded line behind it", "GET / HTTP/1.1\r\n X: y"],
    ["the version in lower case", "GET / http/1.1"],
    ["a version of three numbers", "GET / HTTP/1.1.1"],
    ["a version with a zero", "GET / HTTP/01.1"],
    ["a version of two digits", "GET / HTTP/1.10"],
    ["half a version", "GET / HTTP/1."],
    ["a CR at its end", "GET / HTTP/1.1\r"],
    ["a target that is no path", "GET seen HTTP/1.1"],
    ["an authority", `GET ${WILD}:80 HTTP/1.1`],
    ["an asterisk", "GET * HTTP/1.1"],
    ["a URL of another scheme", `GET ftp://${WILD}/ HTTP/1.1`],
    ["a URL without a host", "GET http:///seen HTTP/1.1"],
    ["a URL with a user", `GET http://evil@${WILD}/ HTTP/1.1`],
    ["a URL with a backslash", `GET http://evil.example\\.${WILD}/ HTTP/1.1`],
    ["a URL with two ports", `GET http://${WILD}:80:81/ HTTP/1.1`],
  ])("a request line with %s", async (_what, line) => {
    received = "";
    const answer = await raw(system.port, `${line}\r\nHost: ${WILD}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(received).toBe("");
  });

  test("no Host at all", async () => {
    expect(await raw(system.port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*it has no Host header/,
    );
  });

  test.each([
    `${WILD}@evil.example`,
    `${WILD} evil.example`,
    `${WILD}/x`,
    `${WILD}:80:81`,
    `${WILD}, ${WILD}`,
  ])("an invalid Host: %s", async (host) => {
    received = "";
    const answer = await raw(system.port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(received).toBe("");
  });

  test("chunks in HTTP/1.0", async () => {
    received = "";
    const head = `POST / HTTP/1.0\r\nHost: ${WILD}\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n`;
    expect(await raw(system.port, `${head}\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(received).toBe("");
  });
});

/** Would be served if it were taken for a request. */
const NEXT = `GET /hidden HTTP/1.1\r\nHost: ${WILD}\r\n\r\n`;

describe("HTTP/1.1: what is behind it is not served", () => {
  test.each([
    ["a Host that is refused", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
    ["two Hosts", `GET / HTTP/1.1\r\nHost: ${WILD}\r\nHost: b\r\n\r\n`, 400],
    [
      "a coding",
      `POST / HTTP/1.1\r\nHost: ${WILD}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      501,
    ],
    [
      "chunks in HTTP/1.0",
      `POST / HTTP/1.0\r\nHost: ${WILD}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["a malformed head", `GET / HTTP/1.1\r\nHost: ${WILD}\r\nX\r\n\r\n`, 400],
    ["CONNECT", `CONNECT ${WILD}:80 HTTP/1.1\r\nHost: ${WILD}\r\n\r\n`, 405],
    ["HTTP/1.0", `GET /seen HTTP/1.0\r\nHost: ${WILD}\r\n\r\n`, 200],
    ["Connection: close", `GET /seen HTTP/1.1\r\nHost: ${WILD}\r\nConnection: x, Close\r\n\r\n`, 200],
    [
      "an upgrade that is not made",
      `GET /seen HTTP/1.1\r\nHost: ${WILD}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
      200,
    ],
  ])("%s", async (_what, request, status) => {
    received = "";
    const answer = await raw(system.port, request + NEXT);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`]);
    expect(received).not.toMatch(/^GET \/hidden/m);
  });

  test("an expectation that is not met: the body may come or not", async () => {
    const before = system.wild.connections;
    const socket = rawSocket(system.port);
    socket.write(
      `POST /seen HTTP/1.1\r\nHost: ${WILD}\r\nExpect: 100-continue\r\nContent-Length: ${2 * NEXT.length}\r\n\r\n`,
    );
    await until(() => socket.received().endsWith("ok"), "the response arrived");
    expect(socket.received()).toContain("Connection: close\r\n");
    const closed = new Promise((resolve) => socket.once("close", resolve).once("end", () => socket.end()));
    socket.write(NEXT + NEXT + NEXT);
    await closed;
    expect(socket.received().match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(system.wild.connections - before).toBe(1);
  });
});

describe("HTTP/1.1: written anew, with one way to read it", () => {
  test("a body that looks like a request stays a body", async () => {
    expect(await send(`Content-Length: ${HIDDEN.length}\r\n`, HIDDEN)).toContain("ok");
    expect(received).toContain(`Content-Length: ${HIDDEN.length}\r\n`);
    expect(received.endsWith(`\r\n\r\n${HIDDEN}`)).toBe(true);
  });

  test("chunk extensions and odd sizes end here", async () => {
    expect(await send("Transfer-Encoding: chunked\r\n", '0003;ext="x"\r\nabc\r\n0\r\n\r\n')).toContain("ok");
    expect(received).toContain("Transfer-Encoding: chunked\r\n");
    expect(received.endsWith("\r\n\r\n3\r\nabc\r\n0\r\n\r\n")).toBe(true);
  });

  test("a body behind an upgrade is not taken for the new protocol", async () => {
    const answer = await raw(
      system.port,
      `POST /seen HTTP/1.1\r\nHost: ${WILD}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
    );
    expect(answer).toContain("ok");
    expect(received).not.toMatch(/upgrade/i);
  });

  test("Connection cannot take away what frames the message or names its host", async () => {
    expect(await send("Connection: content-length, host\r\nContent-Length: 5\r\n", "hello")).toContain("ok");
    expect(received).toContain(`Host: localhost:${system.wild.port}\r\n`);
    expect(received).toContain("Content-Length: 5\r\n");
  });

  test.each(["Chunked", "CHUNKED", "\tchunked\t", "chunked,", ",chunked"])(
    "one way to say %j",
    async (coding) => {
      expect(await send(`Transfer-Encoding:${coding}\r\n`, "3\r\nabc\r\n000\r\n\r\n")).toContain("ok");
      expect(received.match(/transfer-encoding.*/gi)).toEqual(["Transfer-Encoding: chunked"]);
      expect(received.endsWith("\r\n\r\n3\r\nabc\r\n0\r\n\r\n")).toBe(true);
    },
  );

  test("Connection cannot take away the chunks", async () => {
    expect(
      await send("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
    ).toContain("ok");
    expect(received).toContain("Transfer-Encoding: chunked\r\n");
  });

  test.each(["http", "HTTPS", "ws"])("the host of a URL of %s takes precedence", async (scheme) => {
    received = "";
    const line = `GET ${scheme}://${WILD}?a=b HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
    expect(await raw(system.port, line)).toContain("ok");
    expect(received).toContain("GET /?a=b HTTP/1.1\r\n");
    expect(received.match(/^host: .*/gim)).toEqual([`Host: localhost:${system.wild.port}`]);
    expect(received).not.toContain("evil");
  });

  test("headers that only the proxy sets are not taken from the client", async () => {
    await send("Proxy-Authorization: Basic abc\r\nProxy-Connection: keep-alive\r\n");
    expect(received).not.toMatch(/proxy-/i);
  });
});

describe("HTTP/2: what would become another HTTP/1.1 request does not pass", () => {
  test.each([
    ["a line break in the path", { ":path": "/seen HTTP/1.1\r\nHost: x\r\n\r\nGET /hidden" }, undefined],
    ["a space in the path", { ":path": "/seen HTTP/1.1" }, undefined],
    ["a path without a slash", { ":path": "seen" }, undefined],
    ["an invalid method", { ":method": "GET /hidden HTTP/1.1" }, undefined],
    ["a user in the authority", { ":authority": `evil@${WILD}` }, undefined],
    ["another host beside the authority", { host: "evil.example" }, 400],
    ["CONNECT", { ":method": "CONNECT" }, undefined],
  ])("%s", async (_what, headers, status) => {
    // Without a status the stream was reset.
    received = "";
    expect(await http2(headers)).toBe(status);
    expect(received).toBe("");
  });

  test("a body of another length than it says", async () => {
    const client = connectHttp2(system);
    received = "";
    const sent = client.send({
      host: WILD,
      method: "POST",
      path: "/seen",
      headers: ["Content-Length", "3"],
      streaming: true,
    });
    sent.body.end(`abc${HIDDEN}`);
    await sent.result.catch(() => {});
    client.close();
    expect(received).not.toContain("hidden");
  });

  /** The status, or undefined when there was none. Uses raw headers, past the checks of node:http2's client. */
  async function http2(headers: Record<string, string>): Promise<number | undefined> {
    const client = connectHttp2(system);
    try {
      const { ":path": path = "/seen", ":method": method = "GET", ...others } = headers;
      const result = await client.request({
        host: WILD,
        path,
        method,
        headers: Object.entries(others).flat(),
      });
      return result.status;
    } catch {
      return undefined;
    } finally {
      client.close();
    }
  }
});
