/**
 * Replaces secrets in requests and responses by `***`, so that one sees that something was there. A secret is recognised by
 * its name, by what stands around it, by a known prefix, or by its randomness: what has none of these is not.
 */

export const MASK = "***";

/** Headers whose whole value is a secret, besides those whose name says so. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "authentication-info",
  "linkup-access",
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
/** Last words of header names that carry an identity. */
const IDENTITY_HEADER = /(?:^|[-_])(?:cookies?2?|session|principal)$/;
/** In queries only: OAuth's code and state, what keeps a session, and payment cards. */
const SECRET_PARAMETER =
  /^(?:code|session|sess|state)$|(?:^|[^a-z])(?:creds?|tok|cvv2?|cvc2?|card|pan|iban)(?![a-z])/;

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
  if (SECRET_HEADERS.has(lower) || IDENTITY_HEADER.test(lower) || isSecretName(name)) return MASK;
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

/** Redacts secrets that are recognised without the name of a header: in URLs, as a JWT, behind `Bearer`, by a known prefix. */
export function redactedText(text: string): string {
  return redactedQueries(redactedMembers(text))
    .replace(ENCODED_PARAMETER, (whole, mark, name, equals) =>
      isSecretParameter(name) ? mark + name + equals + MASK : whole,
    )
    .replace(ENCODED_USER, `$1${MASK}$2`)
    .replace(/(:\/\/)[^/?#\s"'<>]*@/g, `$1${MASK}@`)
    .replace(/\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*/g, MASK)
    .replace(/\b(bearer|basic)(\s+|%20|\+)[\w.~+/=-]{6,}/gi, `$1$2${MASK}`)
    .replace(KNOWN_PREFIX, MASK)
    .replace(ACCESS_PROOF, `$1${MASK}`)
    .replace(ONE_TIME_LINK, (whole, before, token) => (isPlainWord(token) ? whole : before + MASK))
    .replace(/(?<=[/=])[\w-]{20,}/g, (text) => (isRandom(text) ? MASK : text));
}

/** Tokens that say whose they are: Stripe, GitHub, GitLab, Slack, AWS, Google, npm, SendGrid, OpenAI and others. */
const KNOWN_PREFIX =
  /\b(?:(?:sk|rk)_(?:live|test)_[\w-]{6,}|whsec_[\w-]{6,}|gh[opsur]_\w{6,}|github_pat_\w{6,}|glpat-[\w-]{6,}|xox[abeoprs]-[\w-]{6,}|(?:AKIA|ASIA)[A-Z0-9]{12,}|AIza[\w-]{20,}|ya29\.[\w-]{6,}|npm_\w{20,}|pypi-[\w-]{16,}|SG\.[\w-]{6,}\.[\w-]{6,}|sk-[\w-]{16,}|shp(?:at|ca|pa|ss)_\w{6,}|dop_v1_\w{6,}|hf_\w{16,})/g;

/** Linkup's own in trace headers, cookies and invite links. A session's name has at most 63 characters. */
const ACCESS_PROOF =
  /(linkup-access(?:-[a-z0-9-]{1,63})?\s{0,9}=\s*|linkup\/join(?:#|%23|\?ticket=))(?!\*\*\*)[\w.%-]+/gi;

/** Links that are sent by e-mail end in a token: `/reset-password/<token>`. */
const ONE_TIME_LINK =
  /(\/(?:(?:reset|forgot|change|new|set)[-_]?password|password[-_]?reset|reset|verify(?:[-_]?e?mail)?|confirm|confirmation|activate|activation|invites?|invitations?|magic(?:[-_]?link)?|tokens?|unsubscribe|otp)\/)([^/?#\s"'<>]{4,})/gi;

/** A path's next word, such as `/verify/email`, and not a token. */
function isPlainWord(text: string): boolean {
  return /^[a-z]{1,15}(?:[-_][a-z]{1,15}){0,3}$/i.test(text);
}

/** At least 3.5 bits a character, of upper case, lower case and several digits: no word, no UUID, no hash in hexadecimal. */
function isRandom(text: string): boolean {
  if (!/[a-z]/.test(text) || !/[A-Z]/.test(text) || (text.match(/\d/g)?.length ?? 0) < 2) return false;
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits >= 3.5;
}

/** Members of JSON whose name tells a secret, also of JSON in a string of JSON, where each quote has backslashes before it. */
function redactedMembers(text: string): string {
  if (!text.includes('"')) return text;
  const outer = text.replace(
    /"([^"\\]{1,256})"(\s*:\s*)("(?:[^"\\]|\\.)*("|$)|-?\d[\d.eE+-]*|\[[^[\]{}]*(?:\]|$))/g,
    (whole, name: string, colon: string) => (isSecretMember(name) ? `"${name}"${colon}"${MASK}"` : whole),
  );
  return NESTED_MEMBERS.reduce(
    (result, [slashes, member]) =>
      result.replace(member, (whole, name: string, colon: string) =>
        isSecretMember(name) ? `${slashes}"${name}${slashes}"${colon}${slashes}"${MASK}${slashes}"` : whole,
      ),
    outer,
  );
}

/** Members of JSON within one, two and three strings of JSON, and the backslashes before a quote there. */
const NESTED_MEMBERS = [1, 3, 7].map((depth): [string, RegExp] => {
  const quote = `(?<!\\\\)\\\\{${depth}}"`;
  const member = `${quote}([^"\\\\]{1,256})${quote}(\\s*:\\s*)(?:${quote}(?:(?!${quote})[^])*(?:${quote}|$)|-?\\d[\\d.eE+-]*)`;
  return ["\\".repeat(depth), new RegExp(member, "g")];
});

/** Cookies are secrets as members too; in headers they are redacted pair by pair. */
function isSecretMember(name: string): boolean {
  return (
    isSecretName(name) ||
    IDENTITY_HEADER.test(words(name)) ||
    /^(?:cvv2?|cvc2?|pan|card[-_]?number)$/i.test(name)
  );
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
    (whole, mark, name, equals, value: string) => {
      if (equals && isSecretParameter(name)) {
        inSecret = true;
        return `${mark}${name}=${MASK}`;
      }
      inSecret &&= mark === "?";
      if (inSecret) return "";
      return equals && /^(?:%7b|%5b|\{|\[)/i.test(value) ? `${mark}${name}=${redactedJson(value)}` : whole;
    },
  );
}

/** JSON as a parameter's value, encoded as it was. */
function redactedJson(value: string): string {
  let json: string;
  try {
    json = decodeURIComponent(value);
  } catch {
    return value;
  }
  const redacted = redactedMembers(json);
  return redacted === json ? value : encodeURIComponent(redacted).replaceAll("***", MASK);
}

/** The text of a body: JSON, forms, XML, YAML and PEM, as far as names tell. */
export function redactedBody(text: string): string {
  const json = redactedMembers(text.replace(PEM, `$1${MASK}$2`));
  const form = json.replace(/^([^?&#;=\s"'<>{}]{1,256})=([^&\s]*)/, (whole, name: string) =>
    isSecretParameter(name) ? `${name}=${MASK}` : whole,
  );
  const parts = form.replace(
    /(\bname="([^"\r\n]{1,256})"[^\r\n]*\r\n(?:[^\r\n]+\r\n){0,8}\r\n)(?:(?!\r\n--)[\s\S])*/g,
    (whole, head: string, name: string) => (isSecretParameter(name) ? head + MASK : whole),
  );
  return redactedText(redactedYaml(redactedXml(parts)));
}

const PEM = /(-----BEGIN [A-Z0-9 ]{1,40}-----)[\s\S]*?(-----END [A-Z0-9 ]{1,40}-----|$)/g;

/** Elements and attributes. */
function redactedXml(text: string): string {
  if (!text.includes("<")) return text;
  return text
    .replace(/<([\w:.-]{1,256})(\s[^<>]*)?>([^<]*)(?=<|$)/g, (whole, name: string, attributes = "", value) =>
      value.trim() !== "" && isSecretMember(name.replace(/^.*:/, ""))
        ? `<${name}${attributes}>${MASK}`
        : whole,
    )
    .replace(
      /(\s)([\w:.-]{1,256})(\s*=\s*)(?:"[^"<]*"|'[^'<]*')(?=[^<]*>)/g,
      (whole, space, name: string, equals) =>
        isSecretMember(name) ? `${space}${name}${equals}"${MASK}"` : whole,
    );
}

/** A line `name: value`, and the lines of a block behind `name: |`. */
function redactedYaml(text: string): string {
  return text.replace(
    /^([ \t]*(?:- )?)([\w.-]{1,256})(:[ \t]+)(?!["'{[]?\*\*\*)([|>][+-]?[ \t]*(?:\r?\n\1[ \t]+\S.*)+|\S.*)$/gm,
    (whole, indent: string, name: string, colon: string) =>
      isSecretMember(name) ? `${indent}${name}${colon}${MASK}` : whole,
  );
}

/** The reason of a failure may quote a header's line. */
export function redactedReason(reason: string): string {
  return redactedText(reason.replace(/(header line "[^":]*)(?:.*)$/s, `$1: ${MASK}"`));
}

function isSecretParameter(name: string): boolean {
  const decoded = decodedName(name);
  return SECRET_PARAMETER.test(words(decoded)) || isSecretName(decoded);
}

/** Readers decode names as well: `%74oken` is `token`. */
function decodedName(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll("+", " ")).trim();
  } catch {
    return name;
  }
}

function isSecretName(name: string): boolean {
  return SECRET_WORD.test(words(name)) || SECRET_WORD.test(name.toLowerCase());
}

/** `accessToken` is read like `access-token`. */
function words(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1-$2").toLowerCase();
}
