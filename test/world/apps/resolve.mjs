// For programs that ask hosts of a session: they are on this machine, as local DNS says it.
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";

const here = (host) => (host.endsWith(".test") ? "127.0.0.1" : host);
const { lookup } = dns;
const { lookup: promised } = dns.promises;
dns.lookup = (host, ...rest) => lookup(here(host), ...rest);
dns.promises.lookup = (host, ...rest) => promised(here(host), ...rest);
syncBuiltinESMExports();
