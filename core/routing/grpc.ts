/** Linkup's own responses to gRPC clients, which read neither the status nor the body of an HTTP response. */
import { FAILURE_HEADER } from "./own-failure.ts";
import type { ProxyFailure } from "./proxy-failure.ts";

/** gRPC itself. gRPC-Web and Connect need no HTTP/2, and their clients read HTTP statuses. */
export function isGrpc(contentType: string | null | undefined): boolean {
  return /^application\/grpc(?:[+;]|\s*$)/i.test(contentType ?? "");
}

/** gRPC's table of codes for HTTP statuses (doc/http-grpc-status-mapping.md); others are UNKNOWN. */
const CODES: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};
const UNKNOWN = 2;

/** The headers of a response without a body ("Trailers-Only"); its HTTP status is 200. */
export function grpcFailureHeaders({ status, code, explanation }: ProxyFailure): Record<string, string> {
  return {
    "content-type": "application/grpc",
    "grpc-status": String(CODES[status] ?? UNKNOWN),
    "grpc-message": encodeURI(explanation.trim().toWellFormed()),
    [FAILURE_HEADER]: code,
  };
}
