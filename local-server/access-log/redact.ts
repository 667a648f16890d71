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
  /(?:^|[^a-z])(?:auth|authentication|authorization|apikey|assertion|bearer|cred|credential|credentials|dpop|hmac|jwt|key|keys|oauth|otp|pass|passcode|passphrase|passwd|password|pin|pw|pwd|saml[a-z]*|secret|session[-_]?id|sid|sig|signature|ticket|token|tokens|verifier|wresult|xsrf|csrf)(?![a-z])|(?:token|secret|password|passwd|(?:access|api|auth|client|encryption|master|pass|private|secret|session|shared|signing)key|authcode|userpass|signature|credential|jwt|sess(?:ion)?id)s?(?![a-z])/;
/** Such words, of headers that hold no secret. */
const HARMLESS_HEADERS: ReadonlySet<string> = new Set([
  "sec-websocket-key",
  "public-key-pins",
  "surrogate-key",
]);
/** In queries only: OAuth's code, and what keeps a session. */
const SECRET_PARAMETERS: ReadonlySet<string> = new Set(["code", "session", "sess"]);

/** Name and value of each line; `raw` as name, value, name, value… */
export function redactedHeaders(raw: readonly string[]): [string, string][] {
  const headers: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) headers.push([raw[i]!, redactedHeader(raw[i]!, raw[i + 1]!)]);
  return headers;
}

export function redactedHeader(name: string, value: string): string {
  const lower = name.toLowerCase();
  if (lower === "cookie" || lower === "cookie2") return value.replace(/([^;]*)/g, redactedPair);
  if (lower === "set-cookie" || lower === "set-cookie2") return value.replace(/^[^;]*/, redactedPair);
  if (lower.endsWith("authorization")) return value.replace(/^(\s*[A-Za-z][\w-]*\s+)?.*$/s, `$1${MASK}`);
  if (isPolicy(lower)) return value;
  if (SECRET_HEADERS.has(lower) || isSecretName(name)) return MASK;
  if (lower === "sec-websocket-protocol") return redactedProtocols(value);
  return redactedText(value);
}

/** Where browsers can send no other header, tokens stand beside the protocol's name: long, behind `bearer`, or as `token.…`. */
function redactedProtocols(value: string): string {
  let next = false;
  return value.replace(/[^,\s]+/g, (protocol) => {
    if (next || protocol.length >= 24) return MASK;
    const [, word = protocol, mark, rest] = /^([^.:=|-]*)([.:=|-])(.+)$/.exec(protocol) ?? [];
    if (!isSecretName(word)) return protocol;
    next = rest === undefined;
    return next ? protocol : word + mark + MASK;
  });
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
    .replace(ENCODED_PARAMETER, (whole, mark, name, equals) =>
      isSecretParameter(name) ? mark + name + equals + MASK : whole,
    )
    .replace(ENCODED_USER, `$1${MASK}$2`)
    .replace(/(:\/\/)[^/?#\s"'<>]*@/g, `$1${MASK}@`)
    .replace(/\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*/g, MASK)
    .replace(/\b(bearer|basic)(\s+|%20|\+)[\w.~+/=-]{6,}/gi, `$1$2${MASK}`);
}

/** An URL can be a parameter of another, encoded once for each. */
const ENCODED_PARAMETER =
  /(%(?:25)*(?:3f|26|23|3b))((?:(?!%(?:25)*(?:3f|26|23|3b|3d))[^?&;#=\s"<>])*)(=|%(?:25)*3d)(?:(?!%(?:25)*(?:3f|26|23|3b))[^?&;#\s"<>])+/gi;
const ENCODED_USER =
  /(%(?:25)*3a%(?:25)*2f%(?:25)*2f)(?:(?!%(?:25)*(?:2f|3f|23|40))[^/?#&\s"<>])+(%(?:25)*40)/gi;

/** Parameters begin with `?`, `&`, `;` or `#`. A `?` may also be a part of the value before it. */
function redactedQueries(text: string): string {
  let inSecret = false;
  return text.replace(
    /([?&;#])([^?&;#=\s"'<>]*)(=?)([^?&;#\s"<>]*)/g,
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

/** The text of a body: JSON and forms, in parts too, as far as names tell. */
export function redactedBody(text: string): string {
  const json = text.replace(
    /"([^"\\]{1,256})"(\s*:\s*)("(?:[^"\\]|\\.)*("|$)|-?\d[\d.eE+-]*|\[[^[\]{}]*(?:\]|$))/g,
    (whole, name: string, colon: string) => (isSecretName(name) ? `"${name}"${colon}"${MASK}"` : whole),
  );
  const form = json.replace(/^([^?&#;=\s"'<>{}]{1,256})=([^&\s]*)/, (whole, name: string) =>
    isSecretParameter(name) ? `${name}=${MASK}` : whole,
  );
  const parts = form.replace(
    /(\bname="([^"\r\n]{1,256})"[^\r\n]*\r\n(?:[^\r\n]+\r\n){0,8}\r\n)(?:(?!\r\n--)[\s\S])*/g,
    (whole, head: string, name: string) => (isSecretParameter(name) ? head + MASK : whole),
  );
  return redactedText(parts);
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
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1-$2");
  return SECRET_WORD.test(words.toLowerCase()) || SECRET_WORD.test(name.toLowerCase());
}
