/** A WebSocket in a stream of HTTP/2 (RFC 8441), which no library for clients has. */
import { type ClientHttp2Session, connect as http2Connect } from "node:http2";
import { connect as tlsConnect } from "node:tls";
import { WebSocket } from "ws";
import { APP, type System } from "./system.ts";

/** `ws` speaks HTTP/1.1: its handshake is answered here, and its frames go through an HTTP/2 stream. */
export function webSocketOverHttp2({ port, ca }: System): WebSocket {
  const session: ClientHttp2Session = http2Connect(`https://${APP}:${port}`, {
    createConnection: () =>
      tlsConnect({ host: "127.0.0.1", port, servername: APP, ca, ALPNProtocols: ["h2"] }),
  });
  session.on("error", () => {});
  const socket = new WebSocket(null as unknown as string, undefined as never, { autoPong: true } as never);
  session.once("remoteSettings", () => {
    const stream = session.request(
      {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":scheme": "https",
        ":authority": APP,
        ":path": "/live",
        "sec-websocket-version": "13",
        "sec-websocket-protocol": "chat",
      },
      { endStream: false },
    );
    stream.once("response", (headers) => {
      if (headers[":status"] !== 200) {
        socket.emit("error", new Error(`Unexpected server response: ${headers[":status"]}`));
        session.destroy();
        return;
      }
      const inner = socket as unknown as {
        _isServer: boolean;
        _protocol: string;
        setSocket(stream: unknown, head: Buffer, options: unknown): void;
      };
      inner._isServer = false;
      inner._protocol = String(headers["sec-websocket-protocol"]);
      const duplex = Object.assign(stream, { setNoDelay() {} });
      inner.setSocket(duplex, Buffer.alloc(0), {
        allowSynchronousEvents: true,
        maxPayload: 100 * 1024 * 1024,
        skipUTF8Validation: false,
      });
    });
    stream.on("error", () => {});
    stream.once("close", () => session.close());
  });
  return socket;
}
