/** Whether Cloudflare has a certificate for a host. */
/** For all handshakes of a session, which are made at once. */
const TIMEOUT_MS = 2_000;

/** True when a browser's handshake would succeed. `at` and `ca` are for tests. Never rejects. */
export function hasCertificate(
  host: string,
  { at = { host, port: 443 }, ca }: { at?: { host: string; port: number }; ca?: string } = {},
): Promise<boolean> {
  return new Promise((resolve) => {
    // Loaded lazily: it takes 3 MB of memory, and few sessions have such hosts.
    const { connect } = process.getBuiltinModule("node:tls");
    const socket = connect({ ...at, servername: host, ...(ca === undefined ? {} : { ca }) });
    const finish = (covered: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(covered);
    };
    const timer = setTimeout(() => finish(false), TIMEOUT_MS);
    socket.once("secureConnect", () => finish(true));
    socket.once("error", () => finish(false));
  });
}
