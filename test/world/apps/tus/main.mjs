// Servers of tus: one builds its URLs of `Host`, the other of the headers of the proxy before it.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const directory = await mkdtemp(join(tmpdir(), "tus-"));
const make = (path, more) => new Server({ path, datastore: new FileStore({ directory }), ...more });
const servers = {
  "/files": make("/files"),
  "/forwarded": make("/forwarded", { respectForwardedHeaders: true }),
};

createServer(async (request, response) => {
  const server = Object.entries(servers).find(([path]) => request.url.startsWith(path))?.[1];
  if (server) return server.handle(request, response);
  const id = /^\/sum\/(\w+)$/.exec(request.url)?.[1];
  if (!id) return response.end("served by tus");
  const hash = createHash("sha256");
  await pipeline(createReadStream(join(directory, id)), hash);
  response.end(hash.digest("hex"));
}).listen(process.env.PORT, "localhost");
