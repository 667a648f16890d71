import { redirect } from "@sveltejs/kit";

export const GET = ({ url }) => redirect(302, new URL("/page", url).href);
