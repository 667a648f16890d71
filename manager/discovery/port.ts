/** Determines the port of a program by the command that starts it, or by its configuration. Pure. */
import { ownValue } from "../../core/own-value.ts";
import { CERTAINTY, type FoundPort } from "./found-service.ts";

/** Vite's own command, not `vite-node` or `vite build`. */
const VITE = /(?:^|[\s"'/])(?:vite|vinxi|vitepress)(?=$|[\s"'])(?!.*\b(?:build|preview|optimize)\b)/;
/** The development servers that are Vite underneath, and read its configuration. */
const ON_VITE = /\b(?:react-router dev|remix vite:dev)\b/;

/** Default ports of development servers. The first match counts. */
const DEFAULT_PORTS: readonly (readonly [RegExp, number])[] = [
  [VITE, 5173],
  [ON_VITE, 5173],
  [/\bvite preview\b/, 4173],
  [/\bastro dev\b/, 4321],
  [/\bng serve\b/, 4200],
  [/\b(next|nuxt|nuxi) (dev|start)\b/, 3000],
  [/\bnext$/, 3000],
  [/\bremix(-serve| dev)\b/, 3000],
  [/\breact-router-serve\b/, 3000],
  [/\breact-scripts start\b/, 3000],
  [/\b(docusaurus start|mintlify dev|rsbuild dev)\b/, 3000],
  [/\b(vue-cli-service serve|webpack(-dev-server| serve)|rspack (serve|dev))\b/, 8080],
  [/\bgatsby develop\b/, 8000],
  [/\bparcel\b(?! build)/, 1234],
  [/\bwrangler (pages )?dev\b/, 8787],
  [/\bnest start\b/, 3000],
  [/\bmedusa (develop|start)\b/, 9000],
  [/\bstrapi (develop|start)\b/, 1337],
  [/\bexpo start\b/, 8081],
  [/\b(storybook|start-storybook) dev\b/, 6006],
  [/\bhttp-server\b/, 8080],
  [/\brails (s|server)\b/, 3000],
  [/\bmanage\.py runserver\b/, 8000],
  [/\bflask run\b/, 5000],
  [/\b(uvicorn|hypercorn|gunicorn)\b/, 8000],
  [/\bfastapi (dev|run)\b/, 8000],
  [/\bartisan serve\b/, 8000],
  [/\bmix phx\.server\b/, 4000],
  [/\b(jekyll serve)\b/, 4000],
  [/\bmkdocs serve\b/, 8000],
  [/\bhugo server\b/, 1313],
];

/** A port given as a flag, as a variable before the command, or in an address. */
const STATED_PORTS: readonly RegExp[] = [
  /(?:^|\s)(?:--(?:http-|dev-)?port|-p|-l)[= ]?["']?(\d+)/,
  /(?:^|\s)PORT=["']?(\d+)/,
  /(?:^|[\s="'])(?:localhost|0\.0\.0\.0|127\.0\.0\.1|\[::1?\])?:(\d+)(?![\d:])/,
  /\brunserver (\d+)/,
];

/** Where a debugger connects, which serves nothing. */
const DEBUGGER =
  /(?:^|\s)--(?:inspect(?:-brk|-port|-wait)?|debug-port|remote-debugging-port)(?:[= ]\S*\d\S*)?/g;

/** `env`: the variables of its env files. Undefined when the port is unknown. */
export function findPort(command: string, env: Readonly<Record<string, string>>): FoundPort | undefined {
  const expanded = expand(command, env).replace(DEBUGGER, " ");
  for (const pattern of STATED_PORTS) {
    const port = asPort(pattern.exec(expanded)?.[1]);
    if (port) return { port, certainty: CERTAINTY.stated };
  }
  const configured = asPort(env.PORT);
  if (configured) return { port: configured, certainty: CERTAINTY.configured };
  const port = DEFAULT_PORTS.find(([pattern]) => pattern.test(expanded))?.[1];
  return port === undefined ? undefined : { port, certainty: CERTAINTY.default };
}

/** The port alone. */
export function portOf(command: string, env: Readonly<Record<string, string>>): number | undefined {
  return findPort(command, env)?.port;
}

/** True when the command's server reads the configuration of Vite. */
export function readsViteConfig(command: string): boolean {
  return VITE.test(command) || ON_VITE.test(command);
}

/** The port that a vite.config sets for the development server, as a number or as what a variable falls back to. */
export function portInViteConfig(config: string): string | undefined {
  const server = /\bserver\s*:\s*\{/.exec(config);
  if (!server) return undefined;
  // Of the server's own keys: what lies deeper, such as `hmr`, has ports too.
  let own = "";
  let depth = 1;
  for (let i = server.index + server[0].length; depth > 0 && i < config.length; i++) {
    const character = config[i]!;
    if (character === "{") depth++;
    else if (character === "}") depth--;
    else if (depth === 1) own += character;
  }
  return /\bport\s*:[^,\n]*?\b(\d{2,5})\b/.exec(own)?.[1];
}

/** The port that a program's source falls back to without PORT, or listens on. */
export function portInSource(source: string): number | undefined {
  const fallback = /\bprocess\.env(?:\.PORT|\[["']PORT["']\])\W{1,12}(\d{2,5})\b/.exec(source)?.[1];
  return asPort(fallback ?? /\.listen\(\s*(\d{2,5})\b/.exec(source)?.[1]);
}

/** `$NAME`, `${NAME}` and `${NAME:-otherwise}`; a variable without a value stays as it is written. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(
    /\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))/g,
    (written, braced?: string, otherwise?: string, bare?: string) =>
      ownValue(env, (braced ?? bare)!) || (otherwise ?? written),
  );
}

/** A number from 1 to 65535; undefined for anything else. */
export function asPort(text: string | undefined): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? "") ? Number(text) : 0;
  return port > 0 && port < 65_536 ? port : undefined;
}
