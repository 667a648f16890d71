/** A client that costs little: keep-alive connections, one request at a time on each, answers with Content-Length. */
import { once } from "node:events";
import net from "node:net";

interface Load {
  url: string;
  connections: number;
  requests: number;
  /** The head of the nth request. */
  head: (n: number) => string;
}

/** Milliseconds of each request. Rejects at an answer that is not 200. */
export async function run({ url, connections, requests, head }: Load): Promise<number[]> {
  const { hostname, port } = new URL(url);
  const times: number[] = [];
  let next = 0;
  const work = async () => {
    const socket = net.connect(Number(port), hostname).setNoDelay(true);
    await once(socket, "connect");
    while (next < requests) {
      const started = performance.now();
      socket.write(head(next++));
      await answer(socket);
      times.push(performance.now() - started);
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: connections }, work));
  return times;
}

function answer(socket: net.Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let head = "";
    let missing: number | undefined;
    const done = (error?: Error) => {
      socket.off("data", more).off("error", done).off("close", closed);
      if (error) reject(error);
      else resolve();
    };
    const closed = () => done(new Error("the connection was closed"));
    const more = (chunk: Buffer) => {
      if (missing === undefined) {
        head += chunk.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end === -1) return;
        if (!head.startsWith("HTTP/1.1 200")) return done(new Error(`answered: ${head.slice(0, 500)}`));
        missing = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]) - (head.length - end - 4);
      } else missing -= chunk.length;
      if (missing <= 0) done();
    };
    socket.on("data", more).on("error", done).on("close", closed);
  });
}
