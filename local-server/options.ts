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
}

/** Reads `--home DIR --browser-port N --tunnel-port N`. Throws an Error that says which argument is wrong. */
export function parseOptions(argv: string[], env: NodeJS.ProcessEnv): Options {
  const { values } = parseArgs({
    args: argv,
    options: {
      home: { type: "string" },
      "browser-port": { type: "string" },
      "tunnel-port": { type: "string" },
    },
  });
  return {
    home: resolve(values.home || env.LINKUP_HOME || `${homedir()}/.linkup`),
    browserPort: port("--browser-port", values["browser-port"]),
    tunnelPort: port("--tunnel-port", values["tunnel-port"]) ?? 0,
  };
}

function port(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65535) return Number(value);
  throw new Error(`${option} must be a port number from 0 to 65535, not "${value}".`);
}
