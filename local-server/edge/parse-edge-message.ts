/** The Worker's messages, as far as they are what they should be: a Worker may be anybody's. */
import * as z from "zod/mini";
import type { EdgeClock, EdgeReport, SentEdgeReport } from "../../core/api/edge-report-api.ts";

/** Characters. The Worker's messages are shorter than 1 MiB. */
const MAX_MESSAGE = 2 << 20;
const MAX_REPORTS = 2_000;
/** Characters of all headers of a message, each in all its places. */
const MAX_READ = 8 << 20;
const MAX_HEADERS = 500;

const text = (length: number) => z.string().check(z.maxLength(length));
const line = z.tuple([text(1_000), text(40_000)]);
const headers = z.array(z.int().check(z.gte(0))).check(z.maxLength(MAX_HEADERS));
const hopId = z.string().check(z.regex(/^[0-9a-f]{16}$/));
const count = z.number().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));

const report: z.ZodMiniType<SentEdgeReport> = z.object({
  hop: hopId,
  from_hop: z.optional(z.nullable(hopId)),
  lost: z.boolean(),
  time: count,
  protocol: z.nullable(text(20)),
  secure: z.boolean(),
  method: text(100),
  host: text(300),
  target: text(10_000),
  session_by: z.nullable(
    z.enum(["host", "x-forwarded-host", "referer", "origin", "tracestate", "baggage", "cookie"]),
  ),
  service: z.nullable(text(300)),
  at: z.nullable(z.enum(["local", "remote"])),
  url: z.nullable(text(10_000)),
  status: z.int().check(z.gte(100), z.lte(999)),
  failure: z.nullable(text(100)),
  first_byte: count,
  total: z.optional(z.nullable(count)),
  aborted: z.optional(z.boolean()),
  request_bytes: z.nullable(count),
  response_bytes: z.nullable(count),
  trace: z.nullable(z.string().check(z.regex(/^[0-9a-f]{32}$/))),
  sender: z.nullable(text(2_000)),
  request_headers: headers,
  sent_headers: z.nullable(headers),
  service_headers: z.nullable(headers),
  response_headers: headers,
});

const message = z.union([
  z.object({ echo: count, now: count }),
  z.object({
    lines: z.array(z.unknown()),
    reports: z.array(z.unknown()).check(z.maxLength(MAX_REPORTS)),
    dropped: count,
  }),
]);

/** `EdgeReports` with the headers in their places. */
export interface ReadReports {
  reports: EdgeReport[];
  dropped: number;
}

/**
 * Undefined for anything else. A report that is not what it should be counts as dropped: what a stranger has sent must not take
 * the others of its message away.
 */
export function parseEdgeMessage(data: unknown): ReadReports | EdgeClock | undefined {
  if (typeof data !== "string" || data.length > MAX_MESSAGE) return undefined;
  let read: z.output<typeof message> | undefined;
  try {
    read = message.safeParse(JSON.parse(data)).data;
  } catch {
    return undefined;
  }
  if (read === undefined || "echo" in read) return read;
  const headersAt = headersOf(read.lines);
  const reports = read.reports.flatMap((each) => withHeaders(report.safeParse(each).data, headersAt) ?? []);
  return { reports, dropped: read.dropped + read.reports.length - reports.length };
}

type HeadersAt = (places: number[]) => [string, string][] | undefined;

/** Undefined for places without a valid line, and when the headers have become too many. */
function headersOf(lines: unknown[]): HeadersAt {
  const read = lines.map((each) => line.safeParse(each).data);
  let characters = 0;
  return (places) => {
    const headers: [string, string][] = [];
    for (const place of places) {
      const header = read[place];
      if (!header) return undefined;
      characters += header[0].length + header[1].length;
      if (characters > MAX_READ) return undefined;
      headers.push(header);
    }
    return headers;
  };
}

function withHeaders(sent: SentEdgeReport | undefined, headersAt: HeadersAt): EdgeReport | undefined {
  if (!sent) return undefined;
  const request_headers = headersAt(sent.request_headers);
  const sent_headers = sent.sent_headers && headersAt(sent.sent_headers);
  const service_headers = sent.service_headers && headersAt(sent.service_headers);
  const response_headers = headersAt(sent.response_headers);
  if (!request_headers || sent_headers === undefined || service_headers === undefined || !response_headers)
    return undefined;
  return { ...sent, request_headers, sent_headers, service_headers, response_headers };
}
