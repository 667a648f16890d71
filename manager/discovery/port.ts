/** Determines the port of a program by the command that starts it. Pure. */

/** Default ports of development servers. The first match counts. */
const DEFAULT_PORTS: readonly (readonly [RegExp, number])[] = [
  [/\b(vite|vinxi)\b(?!.*\b(build|preview)\b)/, 5173],
  [/\bvite preview\b/, 4173],
  [/\bastro dev\b/, 4321],
  [/\bng serve\b/, 4200],
  [/\b(next|nuxt|nuxi|react-router) (dev|start)\b/, 3000],
  [/\bnext$/, 3000],
  [/\bremix(-serve| dev| vite:dev)\b/, 3000],
  [/\breact-scripts start\b/, 3000],
  [/\b(vue-cli-service serve|webpack(-dev-server| serve))\b/, 8080],
  [/\bgatsby develop\b/, 8000],
  [/\bparcel\b(?! build)/, 1234],
  [/\bwrangler (pages )?dev\b/, 8787],
  [/\bnest start\b/, 3000],
  [/\bhttp-server\b/, 8080],
  [/\brails (s|server)\b/, 3000],
  [/\bmanage\.py runserver\b/, 8000],
  [/\bflask run\b/, 5000],
  [/\b(uvicorn|hypercorn|gunicorn)\b/, 8000],
  [/\bfastapi (dev|run)\b/, 8000],
  [/\bartisan serve\b/, 8000],
  [/\bmix phx\.server\b/, 4000],
  [/\bjekyll serve\b/, 4000],
  [/\bhugo server\b/, 1313],
];

/** A port given as a flag, as a variable before the command, or in an address. */
const EXPLICIT_PORTS: readonly RegExp[] = [
  /(?:^|\s)(?:--(?:http-|dev-)?port|-p|-l)[= ]?["']?(\d+)/,
  /(?:^|\s)PORT=["']?(\d+)/,
  /(?:^|[\s="'])(?:localhost|0\.0\.0\.0|127\.0\.0\.1|\[::1?\])?:(\d+)(?![\d:])/,
  /\brunserver (\d+)/,
];

/** `env`: the variables of its env files. Undefined when the port is unknown. */
export function portOf(command: string, env: Readonly<Record<string, string>>): number | undefined {
  const expanded = expand(command, env);
  for (const pattern of EXPLICIT_PORTS) {
    const port = asPort(pattern.exec(expanded)?.[1]);
    if (port) return port;
  }
  return asPort(env.PORT) ?? defaultPort(expanded);
}

export function defaultPort(command: string): number | undefined {
  return DEFAULT_PORTS.find(([pattern]) => pattern.test(command))?.[1];
}

/** `$NAME`, `${NAME}` and `${NAME:-otherwise}`; a variable without a value stays as it is written. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(
    /\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))/g,
    (written, braced?: string, otherwise?: string, bare?: string) =>
      env[(braced ?? bare)!] || (otherwise ?? written),
  );
}

/** A number from 1 to 65535; undefined for anything else. */
export function asPort(text: string | undefined): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? "") ? Number(text) : 0;
  return port > 0 && port < 65_536 ? port : undefined;
}
