/** What the request log costs: the same server with it and without it, side by side. */
import { mean, standardError } from "../statistics.ts";
import { verdict } from "../verdict.ts";
import { type Requests, run, runTogether } from "./load.ts";
import { ROWS } from "./rows.ts";
import { type Stack, type StackSetup, startOurs } from "./stacks.ts";

const MOST = 1.03;
/**
 * Both are asked at the same time and at the same rate, which leaves the core they share some time to spare: what else the
 * machine does meets both, and how often they and the client wait for each other, which costs more than the log, is the
 * same for both. Two processes of one program differ by some percent for as long as they live, so there are many.
 */
const SERVERS = 10;
/** Even: the program that is started first is slower for a whole turn. */
const TURNS = 4;
/** As fast as they come, before it counts: V8 compiles until some 40,000 requests are done, more with the log than without. */
const WARM_UPS = 10;

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

const loads: (Requests & { name: string; rate: string })[] = [
  { ...ROWS["1k"]!, requests: 4_000, args: HEADERS, rate: "--rps=150" },
  { ...ROWS.page!, args: HEADERS, rate: "--rps=4000" },
];

/** Servers that it starts go into `processes`. */
export async function requestLogCost(place: StackSetup, processes: Stack["process"][]): Promise<void> {
  const ratios = new Map(loads.map(({ name }) => [name, [] as number[]]));
  for (let i = 0; i < SERVERS; i++) {
    const start = (log: boolean) =>
      log ? startOurs(place, `with-log-${i}`) : startOurs(place, `without-log-${i}`, ["--request-log", "0"]);
    // The one that starts first has some percent more to do.
    const first = i % 2 === 0;
    const servers = [await start(first), await start(!first)];
    processes.push(...servers.map(({ process }) => process));
    for (const load of loads) {
      for (const stack of servers) for (let round = 0; round < WARM_UPS; round++) run(stack, load);
      const paced = { ...load, args: [...HEADERS, load.rate] };
      let withLog = 0;
      let withoutLog = 0;
      for (let turn = 0; turn < TURNS; turn++) {
        const [one, other] = await runTogether(turn % 2 === 0 ? servers : servers.toReversed(), paced);
        const logIsOne = (turn % 2 === 0) === first;
        withLog += logIsOne ? one! : other!;
        withoutLog += logIsOne ? other! : one!;
      }
      ratios.get(load.name)!.push(withLog / withoutLog);
    }
    for (const { process } of servers) process.kill("SIGTERM");
  }
  console.log(
    `\nThe request log, CPU with it against without it, at the same time and rate: ${SERVERS} times two servers, a browser's headers`,
  );
  for (const [name, all] of ratios) {
    const ratio = mean(all);
    console.log(
      `  ${verdict(ratio <= MOST)}: ${name} ${ratio.toFixed(3)} ×, at most ${MOST} (standard error ${standardError(all).toFixed(3)})`,
    );
  }
}
