/**
 * Requests that are changed at random, to our server and to Node's: a request that only ours takes, or that ours takes for
 * another one, is how requests are smuggled past a proxy.
 */
import { createServer, METHODS, type RequestListener } from "node:http";
import { type AddressInfo, connect, createServer as createTcp } from "node:net";
import { afterAll, expect, test } from "vitest";
import type { ServeClient } from "../../../local-server/downstream/client.ts";
import { Http1Server } from "../../../local-server/downstream/http1-server.ts";
import { mutatedMessages, visible } from "../../support/mutated-messages.ts";

const SEED = 20_261_129;
const CASES = 3_000;

const REQUESTS = [
  "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
  "POST /p?q=1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nX: y\r\n\r\nhello",
  "POST /c HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n",
  "POST /c HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nab\r\nA\r\n0123456789\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: b.example\r\n\r\n",
  "GET /1 HTTP/1.1\r\nHost: a.example\r\nCookie: a=b; c=d\r\nAccept: */*\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\nGET /3 HTTP/1.1\r\nHost: a.example\r\n\r\n",
  "GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n",
  "GET /old HTTP/1.0\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\nGET /old HTTP/1.0\r\n\r\n",
];
/** What is put into them. */
const PIECES = [
  ...["\r", "\n", "\r\n", "\r\n\r\n", "\n\n", " ", "\t", "\0", ":", ",", ";", "\x7f", "\xe9", "0", "\x0b"],
  ...[
    "Content-Length: 4\r\n",
    "Content-Length: 5, 5\r\n",
    "content-length:+5\r\n",
    "Content-Length: 0x5\r\n",
  ],
  ...["Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n", "transfer-encoding:\tchunked\r\n"],
  ...[
    "Transfer-Encoding : chunked\r\n",
    "Transfer-Encoding: chunked, chunked\r\n",
    " folded\r\n",
    "Host: b\r\n",
  ],
  ...[
    "Connection: close\r\n",
    "Connection: content-length\r\n",
    "Expect: 100-continue\r\n",
    "HTTP/1.1",
    "GET ",
  ],
  ...["ffffffffffffffff\r\n", "0\r\n\r\n", "-1\r\n", "5\r\n", 'a="b\r\n"'],
];

interface Seen {
  method: string;
  target: string;
  headers: readonly string[];
  body: string;
  trailers: string[];
}

let seen: Seen[] = [];
const servers: { close(): void }[] = [];

const ours = new Http1Server(((client, failure) => {
  const found = { method: client.method, target: client.target, headers: client.fields.raw };
  let body = "";
  const respond = () => {
    client.respond({ status: 200, reason: "OK", headers: ["Content-Length", "0"], hasBody: true, length: 0 });
    client.end([]);
  };
  const complete = (trailers: string[]) => {
    seen.push({ ...found, body, trailers });
    respond();
  };
  if (failure) respond();
  else if (!client.hasBody) complete([]);
  else client.read({ data: (chunk) => (body += chunk.toString("latin1")), end: complete });
}) satisfies ServeClient);
const ourPort = await listening(createTcp({ allowHalfOpen: true }, (socket) => ours.accept(socket)));

const take: RequestListener = (request, response) => {
  const { method = "", url = "", rawHeaders: headers } = request;
  let body = "";
  request.on("data", (chunk) => (body += chunk.toString("latin1")));
  request.on("end", () => {
    seen.push({ method, target: url, headers, body, trailers: request.rawTrailers });
    response.setHeader("Content-Length", 0).end();
  });
};
const node = createServer({ requireHostHeader: false }, take)
  .on("checkContinue", take)
  .on("checkExpectation", take);
// It would leave half-closed connections open for seconds.
Object.assign(node, { httpAllowHalfOpen: true, keepAliveTimeout: 1, keepAliveTimeoutBuffer: 0 });
const nodePort = await listening(node);

function listening(server: ReturnType<typeof createTcp>): Promise<number> {
  servers.push(server);
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
  );
}
afterAll(() => {
  for (const server of servers) server.close();
});

/** What a server has seen of these bytes, sent in these pieces. */
async function sent(port: number, pieces: Buffer[]): Promise<Seen[]> {
  seen = [];
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {}).on("end", () => socket.end());
  socket.resume();
  for (const piece of pieces) {
    socket.write(piece, "latin1");
    if (pieces.length > 1) await new Promise(setImmediate);
  }
  socket.end();
  await closed;
  return seen;
}

/**
 * Where Node is stricter than the RFCs, or than other servers: methods that it does not know, white space around the parts of a
 * chunk's extension (RFC 9112, 7.1.1), and bytes beyond ASCII in a target, as some clients send them.
 */
function isPermitted({ method, target }: Seen, text: string): boolean {
  const isAscii = /^[!-~]*$/.test(target);
  return !METHODS.includes(method) || !isAscii || /^[0-9a-f]+(?:;[^\r\n]*)?[ \t]/im.test(text);
}

test("no mutated request is another one, or a whole one, to ours only", { timeout: 120_000 }, async () => {
  const counts = { same: 0, fewer: 0, permitted: 0, none: 0 };
  for (const { text, upTo } of mutatedMessages(SEED, CASES, REQUESTS, PIECES)) {
    const bytes = Buffer.from(text, "latin1");
    const mine = await sent(ourPort, [bytes]);
    const theirs = await sent(nodePort, [bytes]);
    const cut = upTo(bytes.length);
    // However it is cut.
    expect(await sent(ourPort, [bytes.subarray(0, cut), bytes.subarray(cut)]), visible(text)).toEqual(mine);
    if (mine.length === 0) counts.none++;
    else if (mine.some((each) => isPermitted(each, text))) counts.permitted++;
    else {
      expect(mine, visible(text)).toEqual(theirs.slice(0, mine.length).map(pathOnly));
      if (mine.length === theirs.length) counts.same++;
      else counts.fewer++;
    }
  }
  console.log(`${CASES} requests: ${JSON.stringify(counts)}`);
  expect(counts.same).toBeGreaterThan(CASES / 4);
  expect(counts.none).toBeGreaterThan(CASES / 10);
});

/** Node leaves an absolute target as it is. */
function pathOnly(seen: Seen): Seen {
  return {
    ...seen,
    target: seen.target.replace(/^(?:https?|wss?):\/\/[^/?#]+(?=(.?))/i, (_, next) =>
      next === "/" ? "" : "/",
    ),
  };
}
