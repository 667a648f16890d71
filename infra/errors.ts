/** What ends a plan or a deployment, in words for the person who asked for it. */
export type InfraErrorCode =
  | "credentials-missing"
  | "credentials-refused"
  | "rights-missing"
  | "account-ambiguous"
  | "zone-unknown"
  | "conflict"
  | "changed-meanwhile"
  | "worker-token-missing"
  | "cloudflare-failed"
  | "cancelled";

export class InfraError extends Error {
  readonly code: InfraErrorCode;

  constructor(code: InfraErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "InfraError";
    this.code = code;
  }
}
