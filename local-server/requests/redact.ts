/** Takes the secrets out of what a request and its answer say. What is replaced is `***`, so that one sees that something was there. */

const MASK = "***";

/** Headers whose whole value is a secret, besides those whose name says so. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "authentication-info",
]);
/** A word of a name that says that the value is a secret: `x-api-key`, `accessToken`, `client_secret`. */
const SECRET_WORD =
  /(?:^|[^a-z])(?:auth|authorization|apikey|assertion|bearer|cred|credential|credentials|jwt|key|keys|otp|pass|passcode|passphrase|passwd|password|pin|pwd|saml[a-z]*|secret|sid|sig|signature|ticket|token|tokens|xsrf|csrf)(?![a-z])|(?:token|secret|password|passwd|apikey|signature|credential|jwt)s?(?![a-z])/;
/** Such words, of headers that hold no secret. */
const HARMLESS_HEADERS: ReadonlySet<string> = new Set([
  "sec-websocket-key",
  "public-key-pins",
  "surrogate-key",
]);
/** In queries only: OAuth's code, and what keeps a session. */
const SECRET_PARAMETERS: ReadonlySet<string> = new Set(["code", "session", "sessionid", "session_id"]);

/** Name and value of each line; `raw` as name, value, name, value… */
export function redactedHeaders(raw: readonly string[]): [string, string][] {
  const headers: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) headers.push([raw[i]!, redactedHeader(raw[i]!, raw[i + 1]!)]);
  return headers;
}

export function redactedHeader(name: string, value: string): string {
  const lower = name.toLowerCase();
  if (lower === "cookie") return value.replace(/([^;]*)/g, redactedPair);
  if (lower === "set-cookie") return value.replace(/^[^;]*/, redactedPair);
  if (lower.endsWith("authorization")) return value.replace(/^(\s*[A-Za-z][\w-]*\s+)?.*$/s, `$1${MASK}`);
  if (isPolicy(lower)) return value;
  if (SECRET_HEADERS.has(lower) || isSecretName(name)) return MASK;
  // Where browsers can send no other header, tokens stand beside the protocol's name.
  if (lower === "sec-websocket-protocol") return value.replace(/[^,\s]{24,}/g, MASK);
  return redactedText(value);
}

/** Headers about credentials, which are none. */
function isPolicy(name: string): boolean {
  return (
    HARMLESS_HEADERS.has(name) ||
    name.startsWith("access-control-") ||
    name.startsWith("sec-fetch-") ||
    name.endsWith("-authenticate") ||
    name.endsWith("-policy")
  );
}

/** `name=value`, the name kept. What has no `=` is a value. */
function redactedPair(pair: string): string {
  if (pair.trim() === "") return pair;
  const equals = pair.indexOf("=");
  return equals === -1 ? pair.replace(/\S.*/s, MASK) : `${pair.slice(0, equals)}=${MASK}`;
}

/** The secrets that can be told by what stands around them: in the query of an URL, as its user, as a JWT, behind `Bearer`. */
export function redactedText(text: string): string {
  return redactedQueries(text)
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^/?#\s"'<>]*@/gi, `$1${MASK}@`)
    .replace(/\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*/g, MASK)
    .replace(/\b(bearer|basic)(\s+|%20|\+)[\w.~+/=-]{6,}/gi, `$1$2${MASK}`);
}

/** Parameters begin with `?`, `&`, `;` or `#`. A `?` may also be a part of the value before it. */
function redactedQueries(text: string): string {
  let inSecret = false;
  return text.replace(
    /([?&;#])([^?&;#=\s"'<>]*)(=?)([^?&;#\s"'<>]*)/g,
    (whole, mark, name, equals, _value) => {
      if (equals && isSecretParameter(name)) {
        inSecret = true;
        return `${mark}${name}=${MASK}`;
      }
      inSecret &&= mark === "?";
      return inSecret ? "" : whole;
    },
  );
}

/** The text of a body: JSON and forms, as far as names tell. */
export function redactedBody(text: string): string {
  const json = text.replace(
    /"([^"\\]{1,256})"(\s*:\s*)("(?:[^"\\]|\\.)*("|$)|-?\d[\d.eE+-]*)/g,
    (whole, name: string, colon: string) => (isSecretName(name) ? `"${name}"${colon}"${MASK}"` : whole),
  );
  const form = json.replace(/^([^?&#;=\s"'<>{}]{1,256})=([^&\s]*)/, (whole, name: string) =>
    isSecretParameter(name) ? `${name}=${MASK}` : whole,
  );
  return redactedText(form);
}

/** The reason of a failure may quote a header's line. */
export function redactedReason(reason: string): string {
  return redactedText(reason.replace(/(header line "[^":]*)(?:.*)$/s, `$1: ${MASK}"`));
}

function isSecretParameter(name: string): boolean {
  const decoded = decodedName(name);
  return SECRET_PARAMETERS.has(decoded.toLowerCase()) || isSecretName(decoded);
}

/** Readers decode names as well: `%74oken` is `token`. */
function decodedName(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll("+", " ")).trim();
  } catch {
    return name;
  }
}

/** `accessToken` is read like `access-token`. */
function isSecretName(name: string): boolean {
  return SECRET_WORD.test(name.replace(/([a-z0-9])([A-Z])/g, "$1-$2").toLowerCase());
}
