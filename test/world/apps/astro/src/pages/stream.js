import { stream } from "../answers.mjs";

export const GET = () => stream();
