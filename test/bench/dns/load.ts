/**
 * Asks at a steady rate, whether it gets answers or not, and says how long they took from when each question was due:
 * a server that stalls is not asked less for it.
 *   node load.ts PORT QUERIES_PER_SECOND SECONDS NAME…
 * Prints one line of JSON: see Measured.
 */
import { createSocket } from "node:dgram";
import { encode, type RecordType } from "dns-packet";

export interface Measured {
  asked: number;
  /** Answered with an address. */
  answered: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  max: number;
}

/** How often it looks for questions that are due. */
const TICK_MS = 1;
/** How long the last answers may take. */
const PATIENCE_MS = 1_000;
const IDS = 65_536;

const [port, rate, seconds] = process.argv.slice(2, 5).map(Number) as [number, number, number];
const questions = process.argv.slice(5).flatMap((name) =>
  (["A", "AAAA"] as const satisfies RecordType[]).map((type) =>
    encode({
      type: "query",
      flags: 1 << 8,
      questions: [{ name, type, class: "IN" }],
      // As resolvers ask.
      additionals: [
        {
          type: "OPT",
          name: ".",
          udpPayloadSize: 1232,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    }),
  ),
);
const total = rate * seconds;
const latencies = new Float64Array(total);
const dueAt = new Float64Array(IDS);
let answered = 0;
let asked = 0;

const socket = createSocket({ type: "udp4", recvBufferSize: 4 << 20 });
socket.on("message", (answer) => {
  const due = dueAt[answer.readUInt16BE(0)]!;
  if (due === 0 || (answer[3]! & 0x0f) !== 0 || answer.readUInt16BE(6) === 0) return;
  dueAt[answer.readUInt16BE(0)] = 0;
  latencies[answered++] = performance.now() - due;
});
await new Promise<void>((resolve) => socket.connect(port, "127.0.0.1", resolve));

const start = performance.now();
const timer = setInterval(() => {
  while (asked < total) {
    const due = start + (asked * 1_000) / rate;
    if (due > performance.now()) return;
    const question = Buffer.from(questions[asked % questions.length]!);
    const id = asked % IDS;
    question.writeUInt16BE(id, 0);
    dueAt[id] = due;
    socket.send(question);
    asked++;
  }
  clearInterval(timer);
  setTimeout(report, PATIENCE_MS);
}, TICK_MS);

function report(): void {
  socket.close();
  const sorted = latencies.subarray(0, answered).sort();
  const at = (part: number) => sorted[Math.min(answered - 1, Math.floor(answered * part))] ?? Number.NaN;
  const measured: Measured = { asked, answered, p50: at(0.5), p99: at(0.99), max: at(1) };
  console.log(JSON.stringify(measured));
}
