/** Many requests, aborts and WebSockets: memory and open files have to come back to where they were. */
import { spawnSync } from "node:child_process";
import { connect as http2Connect } from "node:http2";
import { connect as tlsConnect } from "node:tls";
import { memory, openFiles } from "./cpu.ts";
import { HOST, type Stack } from "./stacks.ts";

const MOST = 1.2;

/** True when memory and handles stayed flat. */
export async function soak({ port, process: { pid } }: Stack): Promise<boolean> {
  requests(port, 1_000);
  await settle();
  const before = { memory: memory(pid!), files: openFiles(pid!) };
  for (let i = 0; i < 10; i++) requests(port, 10_000);
  await aborts(port, 1_000);
  await settle();
  const after = { memory: memory(pid!), files: openFiles(pid!) };
  const ratio = after.memory / before.memory;
  const holds = ratio <= MOST && after.files <= before.files + 10;
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  console.log(
    `\nSoak: 100,000 requests and 1,000 aborts\n  ${holds ? "met" : "MISSED"}: memory ${mb(before.memory)} → ${mb(after.memory)} ` +
      `(${ratio.toFixed(2)} ×, at most ${MOST}), open files ${before.files} → ${after.files}`,
  );
  return holds;
}

function requests(port: number, count: number): void {
  const args = [
    "-c",
    "8",
    "-m",
    "16",
    "-n",
    String(count),
    `--connect-to=127.0.0.1:${port}`,
    `https://${HOST}/20k`,
  ];
  spawnSync("taskset", ["-c", "1", "h2load", ...args]);
}

async function aborts(port: number, count: number): Promise<void> {
  const session = http2Connect(`https://${HOST}:${port}`, {
    createConnection: () =>
      tlsConnect({
        host: "127.0.0.1",
        port,
        servername: HOST,
        ALPNProtocols: ["h2"],
        rejectUnauthorized: false,
      }),
  });
  for (let done = 0; done < count; done += 50)
    await Promise.all(
      Array.from({ length: 50 }, () => {
        const stream = session.request({ ":path": "/20m" });
        stream.on("error", () => {});
        stream.once("data", () => stream.close(8));
        return new Promise((resolve) => stream.once("close", resolve));
      }),
    );
  session.close();
}

/** Idle connections are closed, and garbage is collected when there is nothing else to do. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10_000));
}
