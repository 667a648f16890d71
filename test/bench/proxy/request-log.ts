/** What the request log costs: the same server with it and without it, in short turns. */
import { type Load, run } from "./load.ts";
import { type Place, type Stack, startOurs } from "./stacks.ts";

const MOST = 1.03;
/** Of so few percent the noise of the machine is many times as much: only the middle of many pairs says something. */
const PAIRS = 41;

/** As a browser says them. */
const HEADERS = [
  "accept: */*",
  "accept-language: en-US,en;q=0.9",
  "accept-encoding: gzip, deflate, br, zstd",
  'sec-ch-ua: "Chromium";v="140", "Not?A_Brand";v="8"',
  "sec-ch-ua-mobile: ?0",
  'sec-ch-ua-platform: "Linux"',
  "sec-fetch-site: same-origin",
  "sec-fetch-mode: cors",
  "sec-fetch-dest: empty",
  "referer: https://slim-gecko.example.com/some/page?with=query",
  "cookie: session=0123456789abcdef0123456789abcdef; theme=dark; visits=17",
  "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
].flatMap((header) => ["-H", header]);

const loads: Pick<Load, "name" | "requests" | "args">[] = [
  { name: "1 KB, h1", requests: 4_000, args: ["--h1", "-c", "16", ...HEADERS, "1k"] },
  { name: "page, h2", requests: 3_000, args: ["-c", "1", "-m", "100", ...HEADERS, "20k"] },
];

/** True when it costs little enough. Servers that it starts go into `processes`. */
export async function requestLogCost(place: Place, processes: Stack["process"][]): Promise<boolean> {
  const [withLog, without] = [
    await startOurs(place, "with-log", []),
    await startOurs(place, "without", ["--request-log", "0"]),
  ];
  processes.push(withLog.process, without.process);
  let met = true;
  console.log(
    `\nThe request log, CPU with it against without it, middle of ${PAIRS} pairs; browser's headers`,
  );
  for (const load of loads) {
    for (const stack of [withLog, without]) for (let i = 0; i < 5; i++) run(stack, load);
    const ratios: number[] = [];
    for (let i = 0; i < PAIRS; i++) {
      // Whoever comes second finds the caches as the other left them.
      const [first, second] = i % 2 === 0 ? [withLog, without] : [without, withLog];
      const cpu = new Map([first, second].map((stack) => [stack, run(stack, load)]));
      ratios.push(cpu.get(withLog)! / cpu.get(without)!);
    }
    const sorted = ratios.toSorted((a, b) => a - b);
    const at = (part: number) => sorted[Math.floor(part * (PAIRS - 1))]!.toFixed(3);
    const holds = Number(at(0.5)) <= MOST;
    met &&= holds;
    console.log(
      `  ${holds ? "met" : "MISSED"}: ${load.name} ${at(0.5)} ×, at most ${MOST} (half of the pairs: ${at(0.25)}–${at(0.75)})`,
    );
  }
  return met;
}
