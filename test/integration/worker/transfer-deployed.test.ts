import { transferTests } from "./transfer.ts";

transferTests("cloudflare");
