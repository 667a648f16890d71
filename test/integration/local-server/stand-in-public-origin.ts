/** The local server, for which the edge is on this machine. */
import { parseOptions } from "../../../local-server/options.ts";
import { startServer } from "../../../local-server/server.ts";

const edge = { port: Number(process.env.STAND_IN_PUBLIC_ORIGIN_PORT), addresses: async () => ["127.0.0.1"] };
void startServer(parseOptions(process.argv.slice(2), process.env), edge);
