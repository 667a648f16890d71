/** Reads what an OpenTelemetry collector gets. */
import protobuf from "protobufjs";

/** The part of opentelemetry/proto/trace/v1 that is looked at. */
const PROTOCOL = `syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { repeated Span spans = 2; }
message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; int64 int_value = 3; double double_value = 4; } }`;

interface DecodedAttribute {
  key: string;
  value: { stringValue: string };
}

interface DecodedRequest {
  resourceSpans: {
    resource: { attributes: DecodedAttribute[] };
    scopeSpans: {
      spans: {
        traceId: Uint8Array;
        spanId: Uint8Array;
        parentSpanId: Uint8Array;
        name: string;
        startTimeUnixNano: protobuf.Long;
        endTimeUnixNano: protobuf.Long;
        attributes: DecodedAttribute[];
      }[];
    }[];
  }[];
}

/** The spans of an OTLP/HTTP request's body, by the protocol's own decoder. */
export function decodedSpans(body: Buffer) {
  const type = protobuf.parse(PROTOCOL).root.lookupType("Request");
  const { resourceSpans } = type.decode(body) as unknown as DecodedRequest;
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const attribute = (all: DecodedAttribute[], name: string) =>
    all.find(({ key }) => key === name)?.value.stringValue;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        resource: attribute(resource.attributes, "service.name") ?? "",
        service: attribute(span.attributes, "linkup.service"),
        trace: hex(span.traceId),
        id: hex(span.spanId),
        parent: hex(span.parentSpanId),
        name: span.name,
        start: Number(span.startTimeUnixNano),
        end: Number(span.endTimeUnixNano),
      })),
    ),
  );
}
