/** The proxies that are compared: each listens with TLS (HTTP/2 and HTTP/1.1) and passes everything on to one service. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import type { ServerStatus } from "../../../core/api/control-api.ts";
import { MALLOC, V8_OPTIONS } from "../../../manager/components/local-server/local-server.ts";
import { callControl, localServerBundle } from "../../integration/local-server/harness.ts";

export const OURS = "Linkup";
export const HOST = "slim-gecko.example.com";

export interface Stack {
  name: string;
  /** False for one that speaks HTTP/1.1 only. */
  http2: boolean;
  /** False for one that speaks HTTP/2 only. */
  http1?: boolean;
  port: number;
  process: ChildProcess;
}

export interface StackSetup {
  /** A directory for everything. */
  directory: string;
  /** Files with the certificate for HOST and its key, as PEM. */
  certificate: string;
  key: string;
  /** Where the service listens. */
  upstream: number;
}

/** All proxies run on the first core, all load and the service on the second. */
export function pinned(
  core: 0 | 1 | "0,1",
  command: string,
  args: string[],
  env = process.env,
): ChildProcess {
  return spawn("taskset", ["-c", String(core), command, ...args], { stdio: "ignore", env });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A static nginx with files of 1 KB, 20 KB, 64 KB and 20 MB. */
export async function startService(directory: string): Promise<{ port: number; process: ChildProcess }> {
  const port = await freePort();
  const files = join(directory, "files");
  mkdirSync(files);
  for (const [name, size] of Object.entries({ "1k": 1000, "20k": 20_000, "64k": 65_536, "20m": 20_000_000 }))
    writeFileSync(join(files, name), Buffer.alloc(size, "x"));
  const config = nginxConfig(
    directory,
    "service",
    `server { listen 127.0.0.1:${port} backlog=2048; root ${files}; default_type text/plain; }`,
  );
  return { port, process: pinned(1, "nginx", ["-c", config]) };
}

function nginxConfig(directory: string, name: string, body: string): string {
  const file = join(directory, `${name}.conf`);
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${directory}/${name}.pid; error_log /dev/null; user root;
events { worker_connections 4096; }
http { access_log off; sendfile on; keepalive_requests 1000000; keepalive_timeout 75s;
client_body_temp_path ${directory}/${name}-body; proxy_temp_path ${directory}/${name}-proxy;
fastcgi_temp_path ${directory}/${name}-f; uwsgi_temp_path ${directory}/${name}-u; scgi_temp_path ${directory}/${name}-s;
${body} }`,
  );
  return file;
}

export async function startNginx(
  { directory, certificate, key, upstream }: StackSetup,
  core: 0 | "0,1" = 0,
): Promise<Stack> {
  const port = await freePort();
  const config = nginxConfig(
    directory,
    "nginx",
    `upstream service { server 127.0.0.1:${upstream}; keepalive 256; keepalive_requests 1000000; }
server { listen 127.0.0.1:${port} ssl http2 backlog=2048; http2_max_concurrent_streams 256;
ssl_certificate ${certificate}; ssl_certificate_key ${key}; ssl_session_cache shared:a:1m;
location / { proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_max_temp_file_size 0; } }`,
  );
  return { name: "nginx", http2: true, port, process: pinned(core, "nginx", ["-c", config]) };
}

export async function startCaddy({ directory, certificate, key, upstream }: StackSetup): Promise<Stack> {
  const port = await freePort();
  const config = join(directory, "Caddyfile");
  writeFileSync(
    config,
    `{\n admin off\n auto_https off\n}\nhttps://${HOST}:${port} {\n bind 127.0.0.1\n tls ${certificate} ${key}\n reverse_proxy 127.0.0.1:${upstream}\n}\n`,
  );
  const env = { ...process.env, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory, HOME: directory };
  const args = ["run", "--config", config, "--adapter", "caddyfile"];
  return { name: "Caddy", http2: true, port, process: pinned(0, "caddy", args, env) };
}

export async function startHaproxy({ directory, certificate, key, upstream }: StackSetup): Promise<Stack> {
  const port = await freePort();
  const both = join(directory, "both.pem");
  writeFileSync(both, `${readFileSync(certificate, "utf8")}\n${readFileSync(key, "utf8")}\n`);
  const config = join(directory, "haproxy.cfg");
  writeFileSync(
    config,
    `global\n nbthread 1\n maxconn 4000\n tune.h2.max-concurrent-streams 256\ndefaults\n mode http\n timeout client 60s\n timeout server 60s\n timeout connect 5s\n option http-keep-alive\n http-reuse always\nfrontend f\n bind 127.0.0.1:${port} ssl crt ${both} alpn h2,http/1.1\n default_backend b\nbackend b\n server s 127.0.0.1:${upstream}\n`,
  );
  return { name: "haproxy", http2: true, port, process: pinned(0, "haproxy", ["-db", "-f", config]) };
}

/** Where the bundle of this code is. */
export async function localServerFolder(): Promise<string> {
  return dirname(await localServerBundle());
}

/** `name`: of a home of its own below the directory. */
export async function startOurs(
  place: StackSetup,
  name = "home",
  options: string[] = [],
  bundle?: string,
): Promise<Stack> {
  const { directory } = place;
  const home = join(directory, name);
  const certificates = join(home, "certificates");
  if (!existsSync(certificates))
    cpSync(join(directory, "home", "certificates"), certificates, { recursive: true });
  const args = [
    ...V8_OPTIONS,
    bundle ?? (await localServerBundle()),
    "--home",
    home,
    "--browser-port",
    "0",
    ...options,
  ];
  const child = pinned(0, process.execPath, args, { ...process.env, ...MALLOC });
  const status = await patiently(() => callControl(home, "GET", "/v1/status"));
  await callControl(home, "PUT", "/v1/leases/bench", { ttl_ms: null });
  await putSession(home, place, undefined);
  return { name: OURS, http2: true, port: (status.body as ServerStatus).browser_port, process: child };
}

/** The session that all load is for; with `echo`, what is below `/echo` goes to a service on this port. */
export async function putSession(
  home: string,
  { upstream }: StackSetup,
  echo: number | undefined,
): Promise<void> {
  const services = [{ name: "files", location: `http://127.0.0.1:${upstream}` }];
  const routes: { path: string; service: string }[] = [];
  if (echo !== undefined) {
    services.push({ name: "echo", location: `http://127.0.0.1:${echo}` });
    routes.push({ path: "^/echo", service: "echo" });
  }
  const { status } = await callControl(home, "PUT", "/v1/sessions/slim-gecko", {
    session: {
      session_token: "bench",
      services,
      domains: [{ domain: "example.com", default_service: "files", routes }],
    },
    origin_secret: null,
    config_path: null,
  });
  if (status !== 200) throw new Error("The session was refused.");
}

/** The stack first named for this project, as its documentation writes it. */
export async function startExpress({ certificate, key, upstream }: StackSetup): Promise<Stack> {
  const port = await freePort();
  const args = [
    join(import.meta.dirname, "express-http-proxy.ts"),
    String(port),
    String(upstream),
    certificate,
    key,
  ];
  return { name: "express + http-proxy", http2: false, port, process: pinned(0, process.execPath, args) };
}

/** What Node alone costs: see node-floor.ts. */
export function startFloor(kind: "bytes" | "http" | "http2") {
  return async ({ certificate, key, upstream }: StackSetup): Promise<Stack> => {
    const port = await freePort();
    const script = join(import.meta.dirname, "node-floor.ts");
    const args = [...V8_OPTIONS, script, kind, String(port), String(upstream), certificate, key];
    const child = pinned(0, process.execPath, args, { ...process.env, ...MALLOC });
    return { name: `Node, ${kind}`, http2: kind === "http2", http1: kind !== "http2", port, process: child };
  };
}

export async function patiently<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (attempt === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
