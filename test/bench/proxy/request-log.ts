/** What the request log costs: the same server with it and without it, in short turns. */
import { type Load, run } from "./load.ts";
import { type Place, type Stack, startOurs } from "./stacks.ts";

const MOST = 1.03;
/**
 * The noise of the machine is many times as much, and two processes of one program differ by some percent for as long
 * as they live: only the middle of many pairs, of several servers, says something.
 */
const SERVERS = 5;
const PAIRS = 11;

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
  const ratios = new Map(loads.map(({ name }) => [name, [] as number[]]));
  for (let i = 0; i < SERVERS; i++) {
    const withLog = await startOurs(place, `with-log-${i}`, []);
    const without = await startOurs(place, `without-log-${i}`, ["--request-log", "0"]);
    processes.push(withLog.process, without.process);
    for (const load of loads) {
      for (const stack of [withLog, without]) for (let warm = 0; warm < 5; warm++) run(stack, load);
      for (let pair = 0; pair < PAIRS; pair++) {
        // Whoever comes second finds the caches as the other left them.
        const [first, second] = pair % 2 === 0 ? [withLog, without] : [without, withLog];
        const cpu = new Map([first, second].map((stack) => [stack, run(stack, load)]));
        ratios.get(load.name)!.push(cpu.get(withLog)! / cpu.get(without)!);
      }
    }
    for (const { process } of [withLog, without]) process.kill("SIGTERM");
  }
  let met = true;
  console.log(
    `\nThe request log, CPU with it against without it: ${SERVERS} times two servers, ${PAIRS} pairs each; a browser's headers`,
  );
  for (const [name, all] of ratios) {
    const sorted = all.toSorted((a, b) => a - b);
    const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))]!.toFixed(3);
    const holds = Number(at(0.5)) <= MOST;
    met &&= holds;
    console.log(
      `  ${holds ? "met" : "MISSED"}: ${name} ${at(0.5)} ×, at most ${MOST} (half of the pairs: ${at(0.25)}–${at(0.75)})`,
    );
  }
  return met;
}
