import { createServer } from "node:net";

/** The wanted port when it is free on both loopback addresses, else any free one. */
export async function freePort(wanted) {
  if (await isFree(wanted, "::1").catch(() => true)) {
    const port = await portOf(wanted, "127.0.0.1").catch(() => undefined);
    if (port) return port;
  }
  return portOf(0, "127.0.0.1");
}

/** False when it is taken; rejects where this machine has no such address. */
async function isFree(port, host) {
  return portOf(port, host).then(
    () => true,
    (error) => {
      if (error.code === "EADDRINUSE") return false;
      throw error;
    },
  );
}

function portOf(port, host) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, host, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
