/** What the local server is started with. */
import { homedir } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

export interface Options {
  /** Where state lives: the control socket and the remembered port. */
  home: string;
  /** Undefined: the one used last time, else the conventional one, else any. 0: any. */
  browserPort: number | undefined;
  /** 0: any. */
  tunnelPort: number;
  /** How many exchanges the request log keeps. 0: there is none. */
  requestLog: number;
}

/** Exchanges that the request log keeps. */
const REMEMBERED = 1_000;
const MOST_REMEMBERED = 100_000;

/** Reads `--home DIR --browser-port N --tunnel-port N --request-log N`. Throws an Error that says which argument is wrong. */
export function parseOptions(argv: string[], env: NodeJS.ProcessEnv): Options {
  const { values } = parseArgs({
    args: argv,
    options: {
      home: { type: "string" },
      "browser-port": { type: "string" },
      "tunnel-port": { type: "string" },
      "request-log": { type: "string", default: String(REMEMBERED) },
    },
  });
  return {
    home: resolve(values.home || env.LINKUP_HOME || `${homedir()}/.linkup`),
    browserPort: port("--browser-port", values["browser-port"]),
    tunnelPort: port("--tunnel-port", values["tunnel-port"]) ?? 0,
    requestLog: exchanges(values["request-log"]),
  };
}

function port(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65535) return Number(value);
  throw new Error(`${option} must be a port number from 0 to 65535, not "${value}".`);
}

function exchanges(value: string): number {
  if (/^\d{1,6}$/.test(value) && Number(value) <= MOST_REMEMBERED) return Number(value);
  throw new Error(`--request-log must be a number from 0 to ${MOST_REMEMBERED}, not "${value}".`);
}
