import { json } from "../../answers.mjs";

export const GET = () => json("sveltekit");
