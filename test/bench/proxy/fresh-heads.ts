/**
 * Load whose heads are new each time: `traceparent` differs, as behind anything that traces. h2load cannot do that.
 *   node fresh-heads.ts h1|h2 PORT FILE REQUESTS AT_ONCE
 * Prints what h2load prints of its requests.
 */
import { connect, type TLSSocket } from "node:tls";
import { askByHttp2 } from "./http2-load.ts";
import { HOST } from "./stacks.ts";

const [version, port, file, requests, atOnce] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const total = Number(requests);
let begun = 0;
let ended = 0;
let ok = 0;

const open = (protocol: string) =>
  connect({
    host: "127.0.0.1",
    port: Number(port),
    servername: HOST,
    ALPNProtocols: [protocol],
    rejectUnauthorized: false,
  });
const traceparent = () => `00-${String(begun).padStart(32, "a")}-${String(begun).padStart(16, "b")}-01`;

function done(status: number): void {
  ended++;
  if (status >= 200 && status < 300) ok++;
  if (ended < total) return;
  console.log(`requests: ${ended} succeeded\nstatus codes: ${ok} 2xx`);
  process.exit(0);
}

/** One request after the other. */
function http1Connection(): void {
  const socket: TLSSocket = open("http/1.1").setEncoding("latin1");
  let head = "";
  /** Bytes of the body still to come; undefined while the head comes. */
  let remaining: number | undefined;
  const request = () => {
    if (begun++ >= total) return;
    socket.write(
      `GET /${file} HTTP/1.1\r\nHost: ${HOST}\r\nuser-agent: load\r\ntraceparent: ${traceparent()}\r\n\r\n`,
    );
  };
  socket.on("data", (text: string) => {
    if (remaining === undefined) {
      head += text;
      const end = head.indexOf("\r\n\r\n");
      if (end === -1) return;
      remaining = Number(/\r\ncontent-length: (\d+)/i.exec(head)![1]) - (head.length - end - 4);
    } else remaining -= text.length;
    if (remaining > 0) return;
    done(Number(head.slice(9, 12)));
    head = "";
    remaining = undefined;
    request();
  });
  socket.once("secureConnect", request);
}

function http2Connection(): void {
  const head = (): [string, string][] | undefined => {
    if (begun++ >= total) return undefined;
    return [
      [":method", "GET"],
      [":scheme", "https"],
      [":authority", HOST],
      [":path", `/${file}`],
      ["user-agent", "load"],
      ["traceparent", traceparent()],
    ];
  };
  askByHttp2(open("h2"), Number(atOnce), head, (ok) => done(ok ? 200 : 0));
}

if (version === "h2") http2Connection();
else for (let i = 0; i < Number(atOnce); i++) http1Connection();
