import { transferTests } from "./transfer.ts";

transferTests("direct");
