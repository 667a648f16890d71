/** The command line of the local server. */
import { homedir } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

export interface Options {
  /** The folder of the control socket and the remembered port. */
  home: string;
  /** Undefined: the one used last time, else the conventional one, else any. 0: any. */
  browserPort: number | undefined;
  /** 0: any. */
  tunnelPort: number;
  /** How many exchanges the access log keeps. 0: no log. */
  requestLog: number;
}

/** Exchanges that the access log keeps. */
const DEFAULT_LOG_SIZE = 1_000;
const MAX_LOG_SIZE = 100_000;

/** Reads `--home DIR --browser-port N --tunnel-port N --request-log N`. Throws an Error that names the invalid argument. */
export function parseOptions(argv: string[], env: NodeJS.ProcessEnv): Options {
  const { values } = parseArgs({
    args: argv,
    options: {
      home: { type: "string" },
      "browser-port": { type: "string" },
      "tunnel-port": { type: "string" },
      "request-log": { type: "string", default: String(DEFAULT_LOG_SIZE) },
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
  if (/^\d{1,6}$/.test(value) && Number(value) <= MAX_LOG_SIZE) return Number(value);
  throw new Error(`--request-log must be a number from 0 to ${MAX_LOG_SIZE}, not "${value}".`);
}
