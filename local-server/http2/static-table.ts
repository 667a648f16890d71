/** The static table of HPACK (RFC 7541, Appendix A). */
import { HeaderField } from "./header-field.ts";

/** Names, in some lines with the values after it that it is listed with. */
const LINES = `:authority
:method GET POST
:path / /index.html
:scheme http https
:status 200 204 206 304 400 404 500
accept-charset
accept-encoding gzip,deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`;

/** The field of index 1 is the first. */
export const STATIC_TABLE: readonly HeaderField[] = LINES.split("\n").flatMap((line) => {
  const [name = "", ...values] = line.split(" ");
  if (values.length === 0) return [new HeaderField(name, "")];
  return values.map((value) => new HeaderField(name, value.replace("gzip,", "gzip, ")));
});
