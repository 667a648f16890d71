/**
 * Names that a session must not have. A session's name is the first label of its hosts, so a session named `api` would
 * take over the requests of everybody's `api.example.com`.
 */
import { type Text, text } from "../text.ts";
import { hostname, sessionLabel } from "./host-name.ts";

/** First labels that organisations commonly use, whether or not a session has such a domain. */
export const RESERVED_NAMES: readonly string[] =
  "www api login logout signin auth oauth sso account accounts id admin mail smtp imap pop mx webmail ftp ns ns1 ns2 dns cdn static assets autoconfig autodiscover wpad isatap localhost linkup".split(
    " ",
  );

export interface NamesInUse {
  /** Host of the Worker's API, with or without port. */
  workerHost?: string | undefined;
  /** The domains of this session and of every other one. */
  domains: Iterable<string>;
  /** Replaces `RESERVED_NAMES`. */
  reserved?: readonly string[] | undefined;
}

/** Why a session must not have this name, for the person who chose it; undefined when it may. */
export function reservedNameError(
  name: string,
  { workerHost, domains, reserved }: NamesInUse,
): Text | undefined {
  if (workerHost !== undefined && firstLabel(workerHost) === name)
    return text(
      'The session name "{0}" is the first label of the Worker\'s own host {1}. Choose another name.',
      name,
      hostname(workerHost),
    );
  for (const domain of domains)
    if (firstLabel(domain) === name)
      return text(
        'The session name "{0}" is the first label of the domain {1}: the session would take over its requests. Choose another name.',
        name,
        hostname(domain),
      );
  if ((reserved ?? RESERVED_NAMES).includes(name))
    return text(
      'The session name "{0}" is reserved, because hosts commonly start with it. Choose another name.',
      name,
    );
  return undefined;
}

/** Why a session must not have this domain, given the names of running sessions; undefined when it may. */
export function takenLabelError(domain: string, isRunning: (name: string) => boolean): string | undefined {
  const label = firstLabel(domain);
  return label !== undefined && isRunning(label)
    ? `The domain ${hostname(domain)} starts with the name of the running session "${label}", which would take over its requests. Rename or delete that session.`
    : undefined;
}

/** The label of a host that could be taken for a session's name: a host of two labels names no session. */
export function firstLabel(host: string): string | undefined {
  const name = hostname(host);
  if (/^[\d.]+$/.test(name)) return undefined;
  return name.endsWith(".localhost") ? name.slice(0, name.indexOf(".")) : sessionLabel(name);
}
