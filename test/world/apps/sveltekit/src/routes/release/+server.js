import { release } from "../../answers.mjs";

export const GET = () => release();
