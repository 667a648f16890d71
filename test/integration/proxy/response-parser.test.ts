/**
 * The parser of services' responses against that of node:http: the same mutated bytes to both. Ours may refuse more, and must
 * never see another response, or a whole one where Node sees a broken one. Seeded, so that a failure comes again.
 */
import { once } from "node:events";
import { get } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MalformedMessage } from "../../../local-server/http/protocol-errors.ts";
import { ResponseParser } from "../../../local-server/http/response-parser.ts";
import { mutatedMessages, visible } from "../../support/mutated-messages.ts";

const CASES = 3_000;
const SEED = 20_261_128;

/** What a parser made of the bytes; `undefined` when it refused them or they broke off. */
interface Seen {
  status: number;
  headers: readonly string[];
  body: string;
  trailers: readonly string[];
}

const RESPONSES = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\nA;ext=1\r\n0123456789\r\n3\r\nabc\r\n0\r\nX-T: end\r\n\r\n",
  "HTTP/1.1 200 OK\r\n\r\nuntil the connection closes",
  "HTTP/1.0 200 OK\r\nX-Old: yes\r\n\r\nold",
  "HTTP/1.1 204 No Content\r\nX-A: 1\r\nX-A: 2\r\n\r\n",
  'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 100\r\n\r\n',
  "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  "HTTP/1.1 302 Found\r\nLocation: /x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 500\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfail",
];
const PIECES = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  " ",
  "\t",
  ":",
  ";",
  "0",
  "f",
  "-1",
  "\x80",
  "Content-Length: 3\r\n",
  "Content-Length: 5, 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Connection: close\r\n",
  "X-B:\r\n",
  " folded\r\n",
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\n\r\n",
  "0\r\n\r\n",
  "3\r\nabc\r\n",
  ";name=token",
  ';name="a \\" quoted; string"',
  "; name",
  "\xa0",
  "\x99",
];

let server: Server;
let bytes: Buffer;
/** How many of them ours took, until the response was whole. */
let taken = 0;
const sockets = new Set<Socket>();
beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.once("data", () => socket.end(bytes));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** As node:http sees them; "broken" when the connection ended for another reason than what its parser read. */
function byNode(): Promise<Seen | "broken" | undefined> {
  return new Promise((resolve) => {
    const { port } = server.address() as AddressInfo;
    const request = get({ host: "127.0.0.1", port, agent: false }, (response) => {
      const body: Buffer[] = [];
      response.on("data", (chunk) => body.push(chunk));
      response.on("error", (error) => resolve(refusal(error)));
      response.on("close", () =>
        resolve(
          response.complete
            ? {
                status: response.statusCode!,
                headers: response.rawHeaders,
                body: Buffer.concat(body).toString("latin1"),
                // Node refuses some of those that ours drops, and keeps the others.
                trailers: response.rawTrailers.filter(
                  (_, i, all) => !/^(?:connection|content-length|transfer-encoding)$/i.test(all[i & ~1]!),
                ),
              }
            : undefined,
        ),
      );
    });
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      resolve(undefined);
    });
    request.on("error", (error) => resolve(refusal(error)));
  });
}

function refusal({ code = "" }: NodeJS.ErrnoException): "broken" | undefined {
  return code.startsWith("HPE_") ? undefined : "broken";
}

/** As ours does, fed in pieces of these lengths. */
function byOurs(lengths: () => number): Seen | undefined {
  taken = 0;
  let seen: Seen | undefined;
  const found = { status: 0, headers: [] as readonly string[], body: "" };
  const parser = new ResponseParser({
    information() {},
    head: ({ status, fields }) => Object.assign(found, { status, headers: fields.raw }),
    data(chunk) {
      found.body += chunk.toString("latin1");
    },
    end(trailers) {
      seen = { ...found, trailers };
    },
    switched() {},
  });
  parser.start({ method: "GET", upgrade: false });
  try {
    for (let at = 0; at < bytes.length && !seen; ) {
      const piece = bytes.subarray(at, at + lengths());
      parser.feed(piece);
      at += piece.length;
      taken = at;
    }
    if (!seen) parser.finish();
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error;
    return undefined;
  }
  return seen;
}

/**
 * What the RFCs let a recipient take, and Node refuses: one length said twice (RFC 9112, 6.3), also in an interim response, folded
 * lines (5.2), white space around the parts of a chunk's extension (7.1.1), control characters in values (RFC 9110, 5.5), and trailers
 * that frame the message (6.5.1), which ours drops.
 */
function isPermitted(text: string): boolean {
  const lengths = [...text.matchAll(/^content-length:(.*)$/gim)];
  if (lengths.length > 1 || lengths.some(([, length]) => length!.includes(","))) return true;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about
  if (/^[\w-]+:.*[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/m.test(text)) return true;
  if (/\r\n0+(?:;.*)?\r\n(?:.+\r\n)*(?:content-length|transfer-encoding):/i.test(text)) return true;
  return /\r\n[ \t]/.test(text) || /^[0-9a-f]+(?:;[^\r\n]*)?[ \t]/im.test(text);
}

test("no mutated response is another one, or a whole one, to ours only", { timeout: 120_000 }, async () => {
  const counts = { both: 0, neither: 0, nodeOnly: 0, oursOnly: 0, broken: 0 };
  for (const { text } of mutatedMessages(SEED, CASES, RESPONSES, PIECES)) {
    bytes = Buffer.from(text, "latin1");
    // What comes behind a whole response is no part of it: ours ends the connection, Node takes it for an error.
    const ours = byOurs(() => 1);
    if (ours) bytes = bytes.subarray(0, taken);
    const node = await byNode();
    if (node === "broken" && !ours) counts.broken++;
    else if (ours && !node && isPermitted(text)) counts.oursOnly++;
    else if (ours) {
      counts.both++;
      expect(ours, visible(text)).toEqual(node);
    } else if (node) counts.nodeOnly++;
    else counts.neither++;
    // However it is cut.
    expect(
      byOurs(() => bytes.length),
      visible(text),
    ).toEqual(ours);
  }
  console.log(`${CASES} responses: ${JSON.stringify(counts)}`);
  expect(counts.both).toBeGreaterThan(CASES / 4);
  expect(counts.neither).toBeGreaterThan(CASES / 10);
});
